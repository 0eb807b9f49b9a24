// Which answers are tried again, how often, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "clock.h"
#include "outcome.h"
#include "spec.h"

namespace rankd::load {

/// Whether an answer of this kind may be tried again at all.
bool is_retryable(Transport transport, const Outcome& outcome);

/// Decides on retries within the budget, and holds the waiting ones.
class Retries {
  public:
    Retries(const RetrySpec& spec, Transport transport, uint64_t seed);

    /// Counts a request that was sent for the first time: it adds to the budget.
    void sent() { ++sent_; }

    /// @param attempts  of this request so far
    /// @param left      of its deadline; an attempt that would leave later is pointless
    /// @return how long to wait before the next one, or nothing when this was the last
    std::optional<Nanos> wait_before_next(const Outcome& outcome, uint32_t attempts, Nanos left = kForever);

    void schedule(uint32_t request, Nanos due);
    bool is_empty() const { return waiting_.empty(); }
    Nanos next_due() const { return waiting_.front().due; }
    /// The waiting request that is due first.
    uint32_t pop();

  private:
    Nanos wait_after(const Outcome& outcome, uint32_t attempts);

    struct Waiting {
        Nanos due;
        uint32_t request;
        bool operator<(const Waiting& other) const { return due > other.due; }  // std heaps have the largest in front
    };

    RetrySpec spec_;
    Transport transport_;
    std::mt19937_64 random_;
    uint64_t sent_ = 0, granted_ = 0;
    std::vector<Waiting> waiting_;
};

}  // namespace rankd::load
