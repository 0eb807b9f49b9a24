// How large the batches of a model may be and how long its requests may wait: set by hand, or steered towards a promised p99.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace rankd::engine {

/// What an operator says about a model; 0 = not said.
struct ServingBounds {
    uint32_t slo_p99_ms = 0;      ///< what 99 of 100 answers are to stay within, from submit to answer
    uint32_t max_batch_rows = 0;  ///< rows (or requests, where bodies carry none) of one batch
    uint32_t max_batch_us = 0;    ///< expected time of one batch
    uint32_t max_wait_ms = 0;     ///< expected wait above which a request is refused at the door

    bool operator==(const ServingBounds&) const = default;
};

/// Thread-safe without locks. With an SLO it is a controller: every quarter of a second it looks at the share of late answers and
/// moves both bounds, down by a factor when more than 1 % were late, up by steps when hardly any were (AIMD, as congestion
/// control has it). Bounds set by hand are not moved.
class Pace {
  public:
    /// An SLO starts from the middle: a quarter of the promise for a batch, most of it for the wait.
    void set(const ServingBounds& bounds);
    ServingBounds bounds() const;
    /// Begins where another one stands, bounds and what it has found out within them.
    void adopt(const Pace& other);

    /// What a batch may take, in µs.
    double batch_us() const { return batch_us_.load(std::memory_order_relaxed); }
    double max_rows() const { return max_rows_.load(std::memory_order_relaxed); }
    /// What a request may be expected to wait before its answer, in µs; infinite when nothing was said.
    double wait_us() const { return wait_us_.load(std::memory_order_relaxed); }

    /// An answer left, or was too late to be computed at all.
    void record(double total_us, Micros now);
    /// A batch ended because of `batch_us`: a larger one was wanted.
    void was_cut() { wants_more_.store(true, std::memory_order_relaxed); }

  private:
    /// Of models without bounds: a worker is not away for longer.
    static constexpr double kBatchUs = 5'000;
    static constexpr double kUnbounded = std::numeric_limits<double>::infinity();

    void adjust();

    std::atomic<uint32_t> slo_p99_ms_{0}, max_batch_rows_{0}, max_batch_us_{0}, max_wait_ms_{0};
    std::atomic<double> batch_us_{kBatchUs}, wait_us_{kUnbounded}, max_rows_{kUnbounded};
    std::atomic<uint64_t> answers_{0}, late_{0};
    std::atomic<bool> wants_more_{false};
    std::atomic<Micros> next_look_{0};
    std::atomic<double> ceiling_us_{kUnbounded};  ///< the wait at which answers were late last
};

}  // namespace rankd::engine
