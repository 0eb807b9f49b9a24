// What `infer` of one model version has done, in the terms of the Open Inference Protocol's statistics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "engine/histogram.h"
#include "engine/per_writer.h"
#include "engine/statistics.h"

namespace rankd::engine {

/// Why a request was not answered well.
enum class FailureReason : uint8_t {
    kRejected,  ///< never executed: refused at the door, expired in the queue, or the engine closed before its turn
    kCanceled,  ///< nobody took the answer: the caller has gone
    kBackend,   ///< the graph failed
    kOther,     ///< the request itself was wrong
};
constexpr size_t kFailureReasons = 4;
constexpr std::array<std::string_view, kFailureReasons> kFailureReasonNames = {"REJECTED", "CANCELED", "BACKEND", "OTHER"};
FailureReason failure_reason(Code code);

/// How long the parts of a run took, in µs.
struct RunTimes {
    uint32_t input_us = 0;   ///< decoding and gathering
    uint32_t infer_us = 0;   ///< the graph; a request has its whole run's
    uint32_t output_us = 0;  ///< splitting and encoding
};

/// A request that was answered well.
struct InferenceOutcome {
    /// Whether the response cache had a part in it.
    enum class Cache : uint8_t { kUnasked, kHit, kMiss };

    Cache cache = Cache::kUnasked;
    uint32_t rows = 0;      ///< computed for it; 1 where the model does not batch
    uint32_t queue_us = 0;  ///< from submit until work for it began
    RunTimes times;         ///< of a hit: nothing
    uint32_t cache_us = 0;  ///< looking up, and keeping the outputs after a miss
    uint32_t total_us = 0;  ///< from submit until its answer was encoded
};

/// Runs of one model by how many rows they had. Sizes are few, at most as many as a run may have rows; each gets a place with its
/// first run.
class RunCounts {
  public:
    struct Snapshot {
        uint64_t runs = 0, input_us = 0, infer_us = 0, output_us = 0;
    };

    RunCounts() = default;
    ~RunCounts();
    RunCounts(const RunCounts&) = delete;
    RunCounts& operator=(const RunCounts&) = delete;

    void add(uint32_t rows, const RunTimes& times, bool is_shared);
    void add_to(std::map<uint32_t, Snapshot>& total) const;

  private:
    struct Size {
        const uint32_t rows;
        Size* next = nullptr;
        Count runs, input_us, infer_us, output_us;
    };
    static constexpr size_t kHeads = 32;

    Size& size(uint32_t rows);

    /// Lists that only grow. Threads that share them may add a size twice: whoever reads sums both.
    std::array<std::atomic<Size*>, kHeads> heads_{};
};

/// Shared by a version and the one that replaces it, so that a reload goes on counting. Any thread counts, without locks.
class InferenceStatistics {
  public:
    /// @param is_on  false: nothing is counted
    explicit InferenceStatistics(bool is_on) : is_on_(is_on) {}

    bool is_on() const { return is_on_; }

    /// Also where nothing else is counted: a model may bound how many wait for it.
    void count_pending(int64_t change) { pending_.add(change); }
    uint64_t pending() const { return pending_.value(); }
    void record(const InferenceOutcome& success);
    void record_failure(FailureReason reason, uint32_t total_us);
    /// A run of the graph that went well.
    void record_run(uint32_t rows, const RunTimes& times);

    struct CountedTime {
        uint64_t count = 0, us = 0;
    };
    struct Snapshot {
        uint64_t last_inference_ms = 0;  ///< since 1970; 0 = never
        uint64_t inference_count = 0, execution_count = 0;
        HistogramSnapshot request_us{kDurationScale}, queue_us{kDurationScale};  ///< of successful requests
        HistogramSnapshot input_us{kDurationScale}, infer_us{kDurationScale}, output_us{kDurationScale};  ///< of computed ones
        CountedTime fail, cache_hit, cache_miss;
        std::array<uint64_t, kFailureReasons> failures{};
        uint64_t pending = 0;
        std::map<uint32_t, RunCounts::Snapshot> batches;  ///< by rows of a run
    };
    Snapshot snapshot() const;

  private:
    struct alignas(kCacheLinePair) Part {
        explicit Part(bool shared) : is_shared(shared) {}
        void add_to(Snapshot& total) const;

        const bool is_shared;
        std::atomic<uint64_t> last_inference_ms{0};
        Count inference_count;
        DurationHistogram request_us, queue_us, input_us, infer_us, output_us;
        Count hits, hit_us, misses, miss_us;
        std::array<Count, kFailureReasons> failures;
        Count failed_us;
        RunCounts runs;
    };

    const bool is_on_;
    PerWriter<Part> parts_;
    Gauge pending_;
};

}  // namespace rankd::engine
