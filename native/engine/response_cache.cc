// Entries leave a shard into a list of the caller's, which is freed when the lock has gone.
#include "engine/response_cache.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace rankd::engine {
namespace {

/// So much room makes another lock worth while; a response may be as large as a shard.
constexpr uint64_t kShardBytes = 16 << 20;
constexpr uint64_t kMostShards = 16;
/// About what an entry takes beside the response: nodes of a list and a map, a counted object, the heads of their blocks.
constexpr size_t kEntryBytes = 256;
/// Entries that leave under one lock when a model goes.
constexpr size_t kDropAtOnce = 256;

uint64_t shards_for(uint64_t capacity_bytes) {
    return std::clamp<uint64_t>(capacity_bytes / kShardBytes, 1, kMostShards);
}

}  // namespace

CachedResponsePtr Flight::wait_for(Micros longest) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::chrono::microseconds(longest), [this] { return is_over_; });
    return response_;
}

void Flight::end(CachedResponsePtr response) {
    {
        const std::lock_guard lock(mutex_);
        response_ = std::move(response);
        is_over_ = true;
    }
    ended_.notify_all();
}

ResponseCache::Claim& ResponseCache::Claim::operator=(Claim&& other) noexcept {
    end(nullptr);
    cache_ = other.cache_;
    key_ = other.key_;
    flight_ = std::move(other.flight_);
    return *this;
}

void ResponseCache::Claim::end(CachedResponsePtr response) {
    if (const auto flight = std::move(flight_)) cache_->end(key_, *flight, response);
}

ResponseCache::ResponseCache(uint64_t capacity_bytes, Micros ttl, const Clock& clock)
    : ttl_(ttl), clock_(clock), shard_bytes_(capacity_bytes / shards_for(capacity_bytes)), shards_(shards_for(capacity_bytes)) {}

ResponseCache::Found ResponseCache::look_up(const ResponseKey& key) {
    const Micros now = clock_.now();
    Shard& shard = shard_of(key);
    Entries out;
    const std::lock_guard lock(shard.mutex);
    if (CachedResponsePtr response = find(shard, key, now, out)) return {std::move(response), std::nullopt, nullptr};
    std::shared_ptr<Flight>& flight = shard.flights[key];
    if (flight != nullptr) return {nullptr, std::nullopt, flight};
    flight = std::make_shared<Flight>();
    return {nullptr, Claim(*this, key, flight), nullptr};
}

CachedResponsePtr ResponseCache::find(Shard& shard, const ResponseKey& key, Micros now, Entries& out) const {
    const auto of_model = shard.by_generation.find(key.generation);
    if (of_model == shard.by_generation.end()) return nullptr;
    const auto found = of_model->second.find(key.digest);
    if (found == of_model->second.end()) return nullptr;
    const Entries::iterator entry = found->second;
    if (entry->expires_at <= now) {
        take_out(shard, entry, out);
        return nullptr;
    }
    shard.entries.splice(shard.entries.begin(), shard.entries, entry);
    return entry->response;
}

/// Whoever waits gets a response also where it is too large to be kept.
void ResponseCache::end(const ResponseKey& key, Flight& flight, const CachedResponsePtr& response) {
    Shard& shard = shard_of(key);
    Entries out;
    {
        const std::lock_guard lock(shard.mutex);
        if (response != nullptr) keep(shard, key, response, out);
        shard.flights.erase(key);
    }
    flight.end(response);
}

void ResponseCache::keep(Shard& shard, const ResponseKey& key, CachedResponsePtr response, Entries& out) const {
    const size_t bytes = response->bytes() + kEntryBytes;
    if (bytes > shard_bytes_) return;
    while (shard.bytes + bytes > shard_bytes_) {
        take_out(shard, std::prev(shard.entries.end()), out);
        ++shard.evictions;
    }
    const Micros expires_at = ttl_ == 0 ? std::numeric_limits<Micros>::max() : clock_.now() + ttl_;
    shard.entries.push_front({key, std::move(response), expires_at, bytes});
    shard.by_generation[key.generation][key.digest] = shard.entries.begin();
    shard.bytes += bytes;
}

void ResponseCache::take_out(Shard& shard, Entries::iterator entry, Entries& out) {
    const auto of_model = shard.by_generation.find(entry->key.generation);
    of_model->second.erase(entry->key.digest);
    if (of_model->second.empty()) shard.by_generation.erase(of_model);
    shard.bytes -= entry->bytes;
    out.splice(out.end(), shard.entries, entry);
}

void ResponseCache::drop(uint64_t generation) {
    for (Shard& shard : shards_) {
        for (bool is_left = true; is_left;) {
            Entries out;
            const std::lock_guard lock(shard.mutex);
            const auto left = [&] { return shard.by_generation.find(generation); };
            for (auto of_model = left(); of_model != shard.by_generation.end() && out.size() < kDropAtOnce; of_model = left())
                take_out(shard, of_model->second.begin()->second, out);
            is_left = left() != shard.by_generation.end();
        }
    }
}

ResponseCache::Usage ResponseCache::usage() const {
    Usage usage;
    usage.capacity_bytes = shard_bytes_ * shards_.size();
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        usage.entries += shard.entries.size();
        usage.bytes += shard.bytes;
        usage.evictions += shard.evictions;
    }
    return usage;
}

}  // namespace rankd::engine
