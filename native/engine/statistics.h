// Counters of the request path: written by every thread without locks, read by scrapes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "wire/response.h"

namespace rankd::engine {

constexpr size_t kCodeCount = 33;
constexpr size_t kDegradedCount = 7;

/// Counts of values by bucket, plus their sum. Adding is wait-free.
class Histogram {
  public:
    static constexpr size_t kMaxBounds = 24;

    /// @param bounds upper bounds, rising; at most kMaxBounds; must outlive the histogram
    explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}
    void add(double value);

    struct Snapshot {
        std::vector<double> bounds;
        std::vector<uint64_t> counts;  ///< one more than bounds: the last holds what lies above them all
        double sum = 0;
    };
    Snapshot snapshot() const;

  private:
    std::span<const double> bounds_;
    std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_{};
    std::atomic<double> sum_{0};
};

/// 10 µs to 10 s, three steps a decade.
std::span<const double> latency_bounds_us();
/// 1 to 4096 in powers of two.
std::span<const double> batch_bounds();

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
    void record(const RequestOutcome& outcome);
    void record_batch(size_t requests) {
        if (is_on_) batch_requests_.add(static_cast<double>(requests));
    }

    struct Snapshot {
        uint64_t requests = 0;
        uint64_t rows = 0;
        std::map<std::string, uint64_t> errors;
        std::map<std::string, uint64_t> degraded;
        Histogram::Snapshot request_us, queue_us, compute_us, batch_requests;
    };
    Snapshot snapshot() const;

  private:
    bool is_on_ = true;
    std::atomic<uint64_t> requests_{0};
    std::atomic<uint64_t> rows_{0};
    std::array<std::atomic<uint64_t>, kCodeCount> codes_{};
    std::array<std::atomic<uint64_t>, kDegradedCount> degraded_{};
    Histogram request_us_{latency_bounds_us()};
    Histogram queue_us_{latency_bounds_us()};
    Histogram compute_us_{latency_bounds_us()};
    Histogram batch_requests_{batch_bounds()};
};

/// Errors that no model had a part in.
class ErrorCounters {
  public:
    explicit ErrorCounters(bool is_on = true) : is_on_(is_on) {}
    void record(Code code) {
        if (is_on_) codes_[static_cast<size_t>(code)].fetch_add(1, std::memory_order_relaxed);
    }
    std::map<std::string, uint64_t> snapshot() const;

  private:
    const bool is_on_;
    std::array<std::atomic<uint64_t>, kCodeCount> codes_{};
};

}  // namespace rankd::engine
