// Counters without locks or locked instructions: each thread writes to a part of its own, whoever reads sums the parts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rankd::engine {

constexpr size_t kCacheLinePair = 128;  ///< bytes that processors fetch together

/// More threads than this at one time share the last place.
constexpr size_t kWriterPlaces = 256;
constexpr size_t kSharedPlace = kWriterPlaces - 1;

/// The calling thread's place, from its first call to its end; then the place is free for another thread.
size_t writer_place();

/// A count that any thread may read while its writers add.
class Count {
  public:
    /// @param is_shared whether others may be adding at the same time; one writer alone needs no locked instruction
    void add(uint64_t amount, bool is_shared) {
        if (is_shared) [[unlikely]] {
            value_.fetch_add(amount, std::memory_order_relaxed);
        } else {
            value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
        }
    }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

/// One `Part` for each thread that has ever asked for its own. A part is made when it is first needed and lives as long as all.
/// @tparam Part made by `Part(bool is_shared)`; best aligned to cache lines
template <typename Part>
class PerWriter {
  public:
    PerWriter() = default;
    ~PerWriter() {
        for (std::atomic<Part*>& place : parts_) delete place.load(std::memory_order_relaxed);
    }
    PerWriter(const PerWriter&) = delete;
    PerWriter& operator=(const PerWriter&) = delete;

    /// The calling thread's.
    Part& own() {
        const size_t place = writer_place();
        // A place's former thread has given it back under a lock: what it wrote is seen.
        Part* part = parts_[place].load(std::memory_order_acquire);
        return part != nullptr ? *part : make(place);
    }

    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const std::atomic<Part*>& place : parts_)
            if (Part* part = place.load(std::memory_order_acquire)) visit(*part);
    }

  private:
    Part& make(size_t place) {
        auto* made = new Part(place == kSharedPlace);
        Part* found = nullptr;
        if (parts_[place].compare_exchange_strong(found, made, std::memory_order_acq_rel)) return *made;
        delete made;
        return *found;
    }

    std::array<std::atomic<Part*>, kWriterPlaces> parts_{};
};

}  // namespace rankd::engine
