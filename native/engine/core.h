// One engine of the process: models, routes, compute workers and counters, shared by the handles of all threads.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/loader.h"
#include "engine/model.h"
#include "engine/routes.h"
#include "engine/workers.h"
#include "session/session.h"
#include "store/event_log.h"

namespace rankd::engine {

class Handle;

struct CoreOptions {
    unsigned compute_threads = 1;  ///< 0 runs everything on the I/O threads
    /// Whether workers and I/O threads have a core each: then a turn with too much work shares it.
    bool workers_have_cores = false;
    uint32_t queue_capacity = 4096;    ///< requests open per handle, and in the compute queue
    uint32_t short_work_us = 500;      ///< work that is expected to take longer and cannot be cut goes to a compute worker
    uint32_t default_deadline_ms = 0;  ///< of requests that bring none; 0 = none
    uint32_t max_wait_ms = 1000;       ///< a request that is expected to wait longer is refused, whatever its deadline
    bool observe = true;               ///< false: nothing is counted, stats stay at zero; answers keep their timing
    wire::Limits limits;
    const Clock* clock = &SteadyClock::instance();
    session::SessionFactory sessions = session::ort_sessions();
    std::filesystem::path event_log;  ///< folder of what `feedback` tells; empty: feedback is refused
    store::EventLogOptions event_log_options;
    uint64_t response_cache_bytes = 0;   ///< for models that say `infer.response_cache`; 0 = nothing is kept
    uint32_t response_cache_ttl_ms = 0;  ///< 0 = a response is kept until there is need of its place
    uint64_t precompute_bytes = pipeline::BundleOptions{}.precompute_bytes;  ///< per model; 0 = graphs run as they are
};

struct ModelInfo {
    std::string name, version, kind, description;
    std::vector<std::string> operations, aliases;
    std::vector<session::TensorInfo> inputs, outputs;  ///< of `infer`
    uint32_t max_batch_size = 0;
    std::string why_not_batched;
    uint64_t items = 0, users = 0, bytes = 0, precomputed_bytes = 0;
    uint32_t golden_passed = 0, warmed_requests = 0, warmed_failures = 0;
    double batch_us = 0, wait_us = 0;  ///< bounds as they stand; a wait without bound is infinite
    double load_ms = 0;
};

struct OperationStats {
    std::string model, version, operation;
    OperationCounters::Snapshot counters;
    std::map<std::string, uint64_t> cuts;  ///< executed batches by why they ended where they did
};

struct InferenceStats {
    std::string model, version;
    InferenceStatistics::Snapshot counters;
};

struct CoreStats {
    std::vector<ModelInfo> models;
    std::vector<OperationStats> operations;
    std::vector<InferenceStats> inference;  ///< of versions that offer `infer`
    std::optional<ResponseCache::Usage> response_cache;
    std::optional<store::EventLogStats> event_log;
    std::map<std::string, uint64_t> errors;
    uint64_t open_requests = 0, compute_queue_length = 0, handles = 0, dropped_traces = 0;
    unsigned compute_threads = 0;
    bool is_draining = false;
};

/// Thread-safe throughout.
class Core : public std::enable_shared_from_this<Core> {
  public:
    /// The process keeps the core until `close`.
    static std::shared_ptr<Core> create(CoreOptions options);
    /// The core of this process with that id, or nullptr.
    static std::shared_ptr<Core> find(uint32_t id);

    uint32_t id() const { return id_; }
    const CoreOptions& options() const { return options_; }
    const Clock& clock() const { return *options_.clock; }

    /// Opens, verifies, warms and replays a bundle on the loader's thread, waits for it, and puts it into service.
    /// @param manifest  in place of the folder's manifest.json, for a folder without one
    Result<ModelInfo> load(const std::filesystem::path& folder, std::optional<std::string> manifest = {});
    Status unload(const std::string& name, const std::string& version);
    Status route(const std::string& name, Routes::Aliases aliases);
    /// Bounds of all versions of a model, those that are loaded later included.
    void tune(const std::string& name, const ServingBounds& bounds);
    Status upsert(std::string_view target, std::span<const uint8_t> items, uint32_t& count);
    Status remove(std::string_view target, std::span<const uint8_t> ids, uint32_t& count);
    CoreStats stats() const;
    /// Of `stats` the models alone, which is cheap.
    std::vector<ModelInfo> models() const;
    /// Slow and traced requests of all its models.
    RequestLog& request_log() { return *request_log_; }
    /// New requests are answered DRAINING from now on.
    void drain() { is_draining_.store(true, std::memory_order_relaxed); }
    /// Waits for running tasks, writes down what the event log has accepted, then frees every model. May be called twice, but not
    /// by a worker.
    void close();

    Result<std::shared_ptr<Handle>> attach();

    // What handles use.
    const Routes& routes() const { return routes_; }
    Epochs& epochs() { return routes_.epochs(); }
    Workers& workers() { return workers_; }
    /// nullptr: there is none, and `feedback` is refused.
    store::EventLog* event_log() const { return event_log_.get(); }
    ErrorCounters& errors() { return errors_; }
    bool is_draining() const { return is_draining_.load(std::memory_order_relaxed); }
    bool is_closed() const { return is_closed_.load(std::memory_order_acquire); }
    void count_open(int64_t change) {
        if (options_.observe) open_requests_.add(change);
    }
    void forget_handle() { handles_.fetch_sub(1, std::memory_order_relaxed); }
    /// An id for a request that brought none: unique in this process, unlikely to meet another process's.
    std::string next_request_id();

  private:
    explicit Core(CoreOptions options);
    Result<ModelInfo> open(const std::filesystem::path& folder, std::optional<std::string> manifest);
    /// Gives back what was unloaded or replaced. @return false while a reader may still see some of it
    bool reclaim();

    const CoreOptions options_;
    const uint32_t id_;
    const uint64_t request_id_prefix_;
    Routes routes_;
    const std::unique_ptr<store::EventLog> event_log_;  ///< outlives the workers, who write to it
    Workers workers_;
    Loader loader_;
    ErrorCounters errors_;
    const std::shared_ptr<RequestLog> request_log_;  ///< models that outlive their core share it, and the next
    const std::shared_ptr<ResponseCache> response_cache_;
    Gauge open_requests_;
    std::atomic<int64_t> handles_{0};
    std::atomic<uint64_t> request_ids_{0};
    std::atomic<bool> is_draining_{false};
    std::atomic<bool> is_closed_{false};
    std::mutex bounds_mutex_;  ///< guards the next; a version is added under it, so that none misses a change
    std::map<std::string, ServingBounds> bounds_;
    std::mutex close_mutex_;
};

}  // namespace rankd::engine
