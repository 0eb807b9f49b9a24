// Counters of the request path: written by every thread without locks, read by scrapes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"
#include "engine/histogram.h"
#include "engine/per_writer.h"
#include "pipeline/stage_times.h"
#include "wire/response.h"

namespace rankd::engine {

constexpr size_t kCodeCount = 38;

using CodeCounts = std::array<Count, kCodeCount>;

struct RequestOutcome {
    Code code = Code::OK;
    wire::DegradedSet degraded = 0;
    wire::Timing timing;
    uint64_t rows = 0;
};

/// What one operation of one model version has done.
class OperationCounters {
  public:
    /// Nothing is counted any more; called before another thread sees these counters.
    void switch_off() { is_on_ = false; }
    bool is_on() const { return is_on_; }

    void record(const RequestOutcome& outcome);
    void record_batch(size_t requests);
    /// How long the stages of one batch took.
    void record_stages(const pipeline::StageTimes& times);

    struct Snapshot {
        uint64_t requests = 0;
        uint64_t rows = 0;
        std::map<std::string, uint64_t> errors;
        std::map<std::string, uint64_t> degraded;
        HistogramSnapshot request_us{kDurationScale}, queue_us{kDurationScale}, compute_us{kDurationScale};
        HistogramSnapshot batch_requests{kBatchScale};
        std::map<std::string, HistogramSnapshot> stage_us;  ///< per batch; stages that never ran are absent
    };
    Snapshot snapshot() const;

  private:
    struct alignas(kCacheLinePair) Part {
        explicit Part(bool shared) : is_shared(shared) {}
        void add_to(Snapshot& total) const;

        const bool is_shared;
        Count rows;
        CodeCounts codes;
        std::array<Count, wire::kDegradedWords> degraded;
        DurationHistogram request_us, queue_us, compute_us;
        BatchHistogram batch_requests;
        std::array<DurationHistogram, pipeline::kTimedStages> stage_us;
    };

    bool is_on_ = true;
    PerWriter<Part> parts_;
};

/// Errors that no model had a part in.
class ErrorCounters {
  public:
    explicit ErrorCounters(bool is_on = true) : is_on_(is_on) {}
    void record(Code code);
    std::map<std::string, uint64_t> snapshot() const;

  private:
    struct alignas(kCacheLinePair) Part {
        explicit Part(bool shared) : is_shared(shared) {}

        const bool is_shared;
        CodeCounts codes;
    };

    const bool is_on_;
    PerWriter<Part> parts_;
};

/// How many of something there are, counted up and down by any thread.
class Gauge {
  public:
    void add(int64_t change);
    /// Never below zero, also where a change is seen before the one that it undoes.
    uint64_t value() const;

  private:
    struct alignas(kCacheLinePair) Part {
        explicit Part(bool shared) : is_shared(shared) {}

        const bool is_shared;
        Count sum;  ///< modulo 2^64, so that it may fall
    };

    PerWriter<Part> parts_;
};

}  // namespace rankd::engine
