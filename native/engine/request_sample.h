// A few request bodies of one operation of one model, as they came: what the next version is warmed with.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "wire/codec.h"
#include "wire/request.h"

namespace rankd::engine {

struct Job;

/// A body by itself, with the padding that readers of JSON want.
struct RecordedBody {
    wire::Codec codec = wire::Codec::kMsgpack;
    uint32_t json_bytes = wire::kAllJson;  ///< of an OIP body
    std::vector<uint8_t> bytes;            ///< kBodyPadding more than the body

    std::span<const uint8_t> body() const { return std::span(bytes).first(bytes.size() - wire::kBodyPadding); }
};

/// Thread-safe. `offer` waits for nobody and allocates once in a lifetime.
class RequestSample {
  public:
    static constexpr size_t kPlaces = 8;
    static constexpr size_t kMostBytes = 64 * 1024;  ///< a longer body is not recorded
    static constexpr uint32_t kEvery = 256;          ///< once all places are taken, one of so many requests replaces the oldest

    /// Called with every batch. @param jobs at least one
    void offer(std::span<const Job> jobs);

    std::vector<RecordedBody> recorded() const;
    /// Requests of the largest batch so far; 0 before the first.
    size_t largest_batch() const { return largest_batch_.load(std::memory_order_relaxed); }

  private:
    struct Place {
        wire::Codec codec = wire::Codec::kMsgpack;
        uint32_t json_bytes = wire::kAllJson;
        size_t size = 0;
    };
    void record(const Job& job);

    // Threads that count at the same moment may lose a count: nothing depends on the exact number.
    std::atomic<uint32_t> seen_{0};
    std::atomic<size_t> largest_batch_{0};
    mutable std::mutex mutex_;          ///< guards what follows
    std::unique_ptr<uint8_t[]> bytes_;  ///< kMostBytes per place; untouched pages of it take no memory
    Place places_[kPlaces];
    size_t recorded_ = 0;
};

}  // namespace rankd::engine
