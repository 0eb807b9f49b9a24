// Tells sends that were late by our own fault.
#pragma once

#include <cstdint>
#include <vector>

#include "clock.h"

namespace rankd::load {

/// A send has left when the bytes of its turn were offered to the kernel, or when it stands behind a connection that is busy,
/// full or gone: that is the server's doing, and its latency counts it. What is seen to only a millisecond after it was due came
/// late because this program was elsewhere: too much to do, or its core taken away.
class Lateness {
  public:
    static constexpr Nanos kLate = kMillisecond;

    explicit Lateness(size_t most_per_turn) { due_.reserve(most_per_turn); }

    /// A request of this turn, in order of time.
    void add(Nanos due) { due_.push_back(due); }

    /// The turn's requests have left. @return how many of them were late
    uint64_t settle(Nanos now) {
        uint64_t late = 0;
        while (late < due_.size() && now - due_[late] > kLate) ++late;
        due_.clear();
        return late;
    }

  private:
    std::vector<Nanos> due_;
};

}  // namespace rankd::load
