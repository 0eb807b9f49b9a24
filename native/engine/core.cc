// The registry of cores, and what one core does beside its handles and workers.
#include "engine/core.h"

#include <cstdio>
#include <random>

#include "base/memory.h"
#include "engine/handle.h"
#include "engine/load_model.h"

namespace rankd::engine {
namespace {

struct Registry {
    std::mutex mutex;
    // Strong: a core ends by `close`, on a thread that may wait for its workers, and never by its last task.
    std::map<uint32_t, std::shared_ptr<Core>> cores;
    uint32_t next_id = 1;
};

// Leaked: handles of late threads may still ask while statics are destroyed.
Registry& registry() {
    static auto* instance = new Registry;
    return *instance;
}

uint32_t next_core_id() {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return all.next_id++;
}

std::vector<session::TensorInfo> graph_tensors(std::span<const pipeline::InferTensor> tensors) {
    std::vector<session::TensorInfo> infos;
    for (const pipeline::InferTensor& tensor : tensors) infos.push_back(tensor.graph);
    return infos;
}

/// What the bundle answers, and `feedback` where it is written down.
std::vector<wire::Operation> operations_of(const Model& model, const store::EventLog* log) {
    std::vector<wire::Operation> operations = model.bundle().operations();
    if (log != nullptr) operations.push_back(wire::Operation::kFeedback);
    return operations;
}

ModelInfo info_of(const Model& model, std::vector<std::string> aliases, const store::EventLog* log) {
    const pipeline::Manifest& manifest = model.bundle().manifest();
    ModelInfo info;
    info.name = manifest.name;
    info.version = manifest.version;
    info.kind = manifest.kind;
    info.description = manifest.description;
    for (const wire::Operation operation : operations_of(model, log))
        info.operations.emplace_back(wire::operation_name(operation));
    if (const pipeline::InferPlan* plan = model.bundle().infer_plan()) {
        info.inputs = graph_tensors(plan->inputs);
        info.outputs = graph_tensors(plan->outputs);
        info.max_batch_size = plan->max_batch_size;
        info.why_not_batched = plan->why_not_batched;
    }
    info.aliases = std::move(aliases);
    info.items = model.bundle().item_count();
    info.users = model.bundle().user_count();
    info.bytes = model.bundle().file_bytes();
    info.precomputed_bytes = model.bundle().precomputed_bytes();
    info.golden_passed = model.golden_passed;
    info.batch_us = model.pace().batch_us();
    info.wait_us = model.pace().wait_us();
    info.warmed_requests = model.warmed_requests;
    info.warmed_failures = model.warmed_failures;
    info.load_ms = model.load_ms;
    return info;
}

std::map<std::string, uint64_t> cuts_of(const Model& model, wire::Operation operation) {
    std::map<std::string, uint64_t> cuts;
    for (size_t cut = 0; cut < kCuts; ++cut)
        if (const uint64_t count = model.cuts(operation, cut)) cuts.emplace(cut_name(cut), count);
    return cuts;
}

/// A version that is loaded anew is the same to whoever reads its statistics.
void go_on_counting(Model& model, const Routes& routes) {
    for (const auto& serving : routes.versions_of(model.name()))
        if (serving->version() == model.version()) model.continue_inference(*serving);
}

std::shared_ptr<ResponseCache> response_cache_for(const CoreOptions& options) {
    if (options.response_cache_bytes == 0) return nullptr;
    const Micros ttl = Micros{options.response_cache_ttl_ms} * 1000;
    return std::make_shared<ResponseCache>(options.response_cache_bytes, ttl, *options.clock);
}

std::unique_ptr<store::EventLog> event_log_of(const CoreOptions& options) {
    if (options.event_log.empty()) return nullptr;
    return std::make_unique<store::EventLog>(store::segment_folder(options.event_log), options.event_log_options);
}

bool offers_infer(const Model& model) {
    const auto operations = model.bundle().operations();
    return std::find(operations.begin(), operations.end(), wire::Operation::kInfer) != operations.end();
}

}  // namespace

std::shared_ptr<Core> Core::create(CoreOptions options) {
    std::shared_ptr<Core> core(new Core(std::move(options)));
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.cores[core->id_] = core;
    return core;
}

std::shared_ptr<Core> Core::find(uint32_t id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = all.cores.find(id);
    return found == all.cores.end() ? nullptr : found->second;
}

Core::Core(CoreOptions options)
    : options_(std::move(options)),
      id_(next_core_id()),
      request_id_prefix_((static_cast<uint64_t>(std::random_device{}()) << 32)),
      event_log_(event_log_of(options_)),
      workers_(options_.compute_threads, options_.queue_capacity, options_.limits, *options_.clock, event_log_.get()),
      loader_([this] { return reclaim(); }),
      errors_(options_.observe),
      request_log_(std::make_shared<RequestLog>(options_.observe)),
      response_cache_(response_cache_for(options_)) {}

bool Core::reclaim() {
    if (routes_.reclaim() > 0) release_free_memory();
    return !routes_.has_retired();
}

Result<ModelInfo> Core::load(const std::filesystem::path& folder, std::optional<std::string> manifest) {
    Result<ModelInfo> loaded = engine_closed();
    if (!is_closed()) loader_.run([&] { loaded = open(folder, std::move(manifest)); });
    return loaded;
}

Result<ModelInfo> Core::open(const std::filesystem::path& folder, std::optional<std::string> manifest) {
    const LoadOptions load{options_.sessions,         options_.limits, clock(),
                           options_.precompute_bytes, request_log_,    std::move(manifest)};
    RANKD_ASSIGN_OR_RETURN(const auto model, load_model(folder, load, routes_));
    {
        const std::lock_guard lock(bounds_mutex_);
        if (const auto bounds = bounds_.find(model->name()); bounds != bounds_.end()) model->pace().set(bounds->second);
        go_on_counting(*model, routes_);
        if (model->bundle().manifest().infer.response_cache) model->use_response_cache(response_cache_);
        routes_.add(model);
    }
    return info_of(*model, {}, event_log());
}

Status Core::unload(const std::string& name, const std::string& version) {
    if (is_closed()) return engine_closed();
    RANKD_RETURN_IF_ERROR(routes_.remove(name, version));
    loader_.nudge();
    return Status::ok();
}

Status Core::route(const std::string& name, Routes::Aliases aliases) {
    if (is_closed()) return engine_closed();
    RANKD_RETURN_IF_ERROR(routes_.set_aliases(name, std::move(aliases)));
    loader_.nudge();
    return Status::ok();
}

void Core::tune(const std::string& name, const ServingBounds& bounds) {
    const std::lock_guard lock(bounds_mutex_);
    bounds_[name] = bounds;
    for (const auto& model : routes_.versions_of(name)) model->pace().set(bounds);
}

Status Core::upsert(std::string_view target, std::span<const uint8_t> items, uint32_t& count) {
    if (is_closed()) return engine_closed();
    RANKD_ASSIGN_OR_RETURN(const auto model, routes_.resolve(target));
    return model->upsert(items, count);
}

Status Core::remove(std::string_view target, std::span<const uint8_t> ids, uint32_t& count) {
    if (is_closed()) return engine_closed();
    RANKD_ASSIGN_OR_RETURN(const auto model, routes_.resolve(target));
    return model->remove(ids, count);
}

std::vector<ModelInfo> Core::models() const {
    std::vector<ModelInfo> models;
    for (const RouteTable::Entry& entry : routes_.list()) models.push_back(info_of(*entry.model, entry.aliases, event_log()));
    return models;
}

CoreStats Core::stats() const {
    CoreStats stats;
    for (const RouteTable::Entry& entry : routes_.list()) {
        stats.models.push_back(info_of(*entry.model, entry.aliases, event_log()));
        for (const wire::Operation operation : operations_of(*entry.model, event_log()))
            stats.operations.push_back({entry.model->name(), entry.model->version(), std::string(wire::operation_name(operation)),
                                        entry.model->counters(operation).snapshot(), cuts_of(*entry.model, operation)});
        if (offers_infer(*entry.model))
            stats.inference.push_back({entry.model->name(), entry.model->version(), entry.model->inference().snapshot()});
    }
    if (response_cache_) stats.response_cache = response_cache_->usage();
    if (event_log_) stats.event_log = event_log_->stats();
    stats.errors = errors_.snapshot();
    stats.open_requests = open_requests_.value();
    stats.dropped_traces = request_log_->dropped_traces();
    stats.compute_queue_length = workers_.queue_length();
    stats.handles = static_cast<uint64_t>(std::max<int64_t>(0, handles_.load(std::memory_order_relaxed)));
    stats.compute_threads = workers_.thread_count();
    stats.is_draining = is_draining();
    return stats;
}

void Core::close() {
    const std::lock_guard lock(close_mutex_);
    is_closed_.store(true, std::memory_order_release);
    workers_.stop();
    if (event_log_) event_log_->close();
    routes_.clear();
    loader_.nudge();
    Registry& all = registry();
    const std::lock_guard registry_lock(all.mutex);
    all.cores.erase(id_);
}

Result<std::shared_ptr<Handle>> Core::attach() {
    if (is_closed()) return engine_closed();
    handles_.fetch_add(1, std::memory_order_relaxed);
    return std::make_shared<Handle>(shared_from_this());
}

std::string Core::next_request_id() {
    char text[17];
    std::snprintf(text, sizeof(text), "%016llx",
                  static_cast<unsigned long long>(request_id_prefix_ |
                                                  (request_ids_.fetch_add(1, std::memory_order_relaxed) & 0xFFFFFFFFu)));
    return text;
}

}  // namespace rankd::engine
