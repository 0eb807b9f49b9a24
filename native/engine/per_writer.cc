#include "engine/per_writer.h"

#include <mutex>
#include <vector>

namespace rankd::engine {
namespace {

/// Hands out the places that have one thread each.
class Places {
  public:
    size_t take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return next_ < kSharedPlace ? next_++ : kSharedPlace;
        const size_t place = free_.back();
        free_.pop_back();
        return place;
    }
    void give_back(size_t place) {
        const std::lock_guard lock(mutex_);
        if (place != kSharedPlace) free_.push_back(place);
    }

  private:
    std::mutex mutex_;
    std::vector<size_t> free_;
    size_t next_ = 0;
};

// Leaked: threads may end while statics are destroyed.
Places& places() {
    static auto* const instance = new Places;
    return *instance;
}

constexpr size_t kNone = SIZE_MAX;
constinit thread_local size_t place_of_thread = kNone;

struct Lease {
    ~Lease() {
        places().give_back(place_of_thread);
        // Whatever this thread still counts while it ends.
        place_of_thread = kSharedPlace;
    }
};

size_t take_place() {
    static thread_local Lease lease;
    place_of_thread = places().take();
    return place_of_thread;
}

}  // namespace

size_t writer_place() {
    return place_of_thread != kNone ? place_of_thread : take_place();
}

}  // namespace rankd::engine
