// Outputs of `infer` requests that were asked before: bounded, least recently used first out, and each computed by one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "engine/cached_response.h"
#include "engine/response_key.h"

namespace rankd::engine {

/// A response that one thread computes and others may wait for.
class Flight {
  public:
    /// @return the response; nullptr when its thread has given up, or takes longer
    CachedResponsePtr wait_for(Micros longest);

  private:
    friend class ResponseCache;
    void end(CachedResponsePtr response);

    std::mutex mutex_;
    std::condition_variable ended_;
    bool is_over_ = false;
    CachedResponsePtr response_;
};

/// Thread-safe. Its locks are held for a look-up or an insertion, never while something is computed or copied.
///
/// Whoever claims a key ends its claim before it waits for another's: then no two threads wait for each other.
class ResponseCache {
  public:
    /// @param capacity_bytes  of all responses and what keeping them takes
    /// @param ttl  how long a response is kept; 0 = until there is need of its place
    ResponseCache(uint64_t capacity_bytes, Micros ttl, const Clock& clock);

    /// The right, and the duty, to compute a response. Given up when it goes without `publish`.
    class Claim {
      public:
        Claim(ResponseCache& cache, const ResponseKey& key, std::shared_ptr<Flight> flight)
            : cache_(&cache), key_(key), flight_(std::move(flight)) {}
        ~Claim() { end(nullptr); }
        Claim(Claim&& other) noexcept = default;
        Claim& operator=(Claim&& other) noexcept;

        /// Keeps the response, as long as it fits, and gives it to those who wait.
        void publish(CachedResponsePtr response) { end(std::move(response)); }

      private:
        void end(CachedResponsePtr response);

        ResponseCache* cache_;
        ResponseKey key_;
        std::shared_ptr<Flight> flight_;  ///< none once it has ended
    };

    /// One of three: the response, a claim, or the flight of the thread that has the claim.
    struct Found {
        CachedResponsePtr response;
        std::optional<Claim> claim;
        std::shared_ptr<Flight> flight;
    };
    Found look_up(const ResponseKey& key);

    /// Forgets the responses of a model that has gone.
    void drop(uint64_t generation);

    struct Usage {
        uint64_t entries = 0, bytes = 0, capacity_bytes = 0;
        uint64_t evictions = 0;  ///< for want of room, since the start
    };
    Usage usage() const;

  private:
    struct Entry {
        ResponseKey key;
        CachedResponsePtr response;
        Micros expires_at = 0;
        size_t bytes = 0;
    };
    using Entries = std::list<Entry>;
    struct DigestHash {
        size_t operator()(const std::array<uint64_t, 2>& digest) const { return digest[0]; }
    };
    using OfModel = std::unordered_map<std::array<uint64_t, 2>, Entries::iterator, DigestHash>;

    /// A part of the keys, behind a lock of its own.
    struct Shard {
        mutable std::mutex mutex;
        Entries entries;  ///< the most recently used first
        std::unordered_map<uint64_t, OfModel> by_generation;
        std::unordered_map<ResponseKey, std::shared_ptr<Flight>, ResponseKeyHash> flights;
        uint64_t bytes = 0;
        uint64_t evictions = 0;
    };

    Shard& shard_of(const ResponseKey& key) { return shards_[key.digest[1] % shards_.size()]; }
    CachedResponsePtr find(Shard& shard, const ResponseKey& key, Micros now, Entries& out) const;
    void keep(Shard& shard, const ResponseKey& key, CachedResponsePtr response, Entries& out) const;
    void end(const ResponseKey& key, Flight& flight, const CachedResponsePtr& response);
    static void take_out(Shard& shard, Entries::iterator entry, Entries& out);

    const Micros ttl_;
    const Clock& clock_;
    const uint64_t shard_bytes_;
    std::vector<Shard> shards_;
};

}  // namespace rankd::engine
