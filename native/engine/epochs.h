// Epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3): what a writer has taken out of sight is freed
// once no reader can still be looking at it. Readers take no lock and write to no memory but their own.
//
// A reader enters at the start of a turn and leaves at its end; between turns it is quiescent and delays nobody, however long it
// sleeps. What outlives the turn that saw it, such as a request that waits for a worker, is pinned. The order that makes it safe:
// a reader announces itself before it reads, a writer publishes before it advances and advances before it asks who is there. So a
// reader that the writer does not see has yet to read, and will read what is new. All of it holds by seq_cst operations; fences
// are avoided because g++ rejects them under the thread sanitizer.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace rankd::engine {

using Epoch = uint64_t;
class EpochReader;

/// Thread-safe.
class Epochs {
  public:
    /// Called after something has been replaced. @return the epoch that has to pass before what was replaced may be freed
    Epoch advance() { return current_.fetch_add(1, std::memory_order_seq_cst) + 1; }
    /// @return whether every reader has entered since `epoch` began, or is quiescent
    bool has_passed(Epoch epoch) const;

  private:
    friend class EpochReader;

    std::atomic<Epoch> current_{1};
    mutable std::mutex mutex_;
    std::vector<const EpochReader*> readers_;
};

/// Belongs to one thread; dropping it drops its pins.
class EpochReader {
  public:
    explicit EpochReader(Epochs& epochs);
    ~EpochReader();
    EpochReader(const EpochReader&) = delete;
    EpochReader& operator=(const EpochReader&) = delete;

    /// What is published may be read from now on, until `leave`. Entering twice is entering once.
    void enter();
    /// What this turn has read stays valid until `unpin`, whatever turn that is in. Only between `enter` and `leave`.
    /// @return what to unpin
    Epoch pin();
    void unpin(Epoch epoch);
    /// Nothing of this turn is looked at any more but what is pinned.
    void leave();

  private:
    friend class Epochs;
    static constexpr Epoch kQuiescent = UINT64_MAX;

    struct Pins {
        Epoch epoch = 0;
        uint64_t count = 0;
    };

    Epochs& epochs_;
    std::vector<Pins> pins_;   ///< oldest first; seldom more than two
    Epoch turn_ = kQuiescent;  ///< the epoch this turn entered in
    /// The oldest epoch whose published things may still be looked at here. On a line of its own: writers read it.
    alignas(64) std::atomic<Epoch> oldest_{kQuiescent};
};

}  // namespace rankd::engine
