// When the memory that a burst left in a reused buffer may go.
#pragma once

#include <algorithm>
#include <cstddef>

namespace rankd {

/// Watches how much of a buffer its uses need. A steady state keeps its capacity; one that a thousand uses in a row did not need
/// half of is given back.
class HighWater {
  public:
    static constexpr size_t kUses = 1024;
    /// Smaller ones are not worth it.
    static constexpr size_t kAlwaysKept = 1 << 20;

    /// Once per use, with what it needed. @return the capacity to have from now on, `capacity` itself as a rule
    size_t settle(size_t used, size_t capacity) {
        most_ = std::max(most_, used);
        if (++uses_ < kUses) return capacity;
        const size_t wanted = std::max(2 * most_, kAlwaysKept);
        uses_ = 0;
        most_ = 0;
        return wanted < capacity / 2 ? wanted : capacity;
    }

  private:
    size_t most_ = 0;
    size_t uses_ = 0;
};

}  // namespace rankd
