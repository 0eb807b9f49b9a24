#include "engine/request_sample.h"

#include <algorithm>
#include <cstring>

#include "engine/executor.h"

namespace rankd::engine {

void RequestSample::offer(std::span<const Job> jobs) {
    if (jobs.size() > largest_batch_.load(std::memory_order_relaxed))
        largest_batch_.store(jobs.size(), std::memory_order_relaxed);
    const uint32_t before = seen_.load(std::memory_order_relaxed);
    const uint32_t now = before + static_cast<uint32_t>(jobs.size());
    seen_.store(now, std::memory_order_relaxed);
    if (before < kPlaces || before / kEvery != now / kEvery) record(jobs[now % jobs.size()]);
}

void RequestSample::record(const Job& job) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || job.body.size() > kMostBytes) return;
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<uint8_t[]>(kPlaces * kMostBytes);
    const size_t place = recorded_++ % kPlaces;
    places_[place] = {job.codec, job.json_bytes, job.body.size()};
    std::memcpy(bytes_.get() + place * kMostBytes, job.body.data(), job.body.size());
}

std::vector<RecordedBody> RequestSample::recorded() const {
    const std::lock_guard lock(mutex_);
    std::vector<RecordedBody> bodies;
    for (size_t place = 0; place < std::min(recorded_, kPlaces); ++place) {
        const uint8_t* const from = bytes_.get() + place * kMostBytes;
        RecordedBody body{places_[place].codec, places_[place].json_bytes, {from, from + places_[place].size}};
        body.bytes.resize(body.bytes.size() + wire::kBodyPadding);
        bodies.push_back(std::move(body));
    }
    return bodies;
}

}  // namespace rankd::engine
