// The registry of cores, and what one core does beside its handles and workers.
#include "engine/core.h"

#include <cstdio>
#include <random>

#include "base/memory.h"
#include "engine/golden.h"
#include "engine/handle.h"

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

ModelInfo info_of(const Model& model, std::vector<std::string> aliases) {
    const pipeline::Manifest& manifest = model.bundle().manifest();
    ModelInfo info;
    info.name = manifest.name;
    info.version = manifest.version;
    info.kind = manifest.kind;
    info.description = manifest.description;
    for (const wire::Operation operation : model.bundle().operations())
        info.operations.emplace_back(wire::operation_name(operation));
    info.aliases = std::move(aliases);
    info.items = model.bundle().item_count();
    info.users = model.bundle().user_count();
    info.bytes = model.bundle().file_bytes();
    info.precomputed_bytes = model.bundle().precomputed_bytes();
    info.golden_passed = model.golden_passed;
    info.load_ms = model.load_ms;
    return info;
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
      workers_(options_.compute_threads, options_.queue_capacity, options_.limits, *options_.clock),
      errors_(options_.observe) {}

Result<ModelInfo> Core::load(const std::filesystem::path& folder) {
    Result<ModelInfo> loaded = engine_closed();
    if (!is_closed()) loader_.run([&] { loaded = open(folder); });
    return loaded;
}

Result<ModelInfo> Core::open(const std::filesystem::path& folder) {
    const Micros started = clock().now();
    auto opened = pipeline::Bundle::open(folder, options_.sessions, {options_.precompute_bytes});
    if (!opened.is_ok()) return opened.status().within(folder.string());
    auto model = std::make_shared<Model>(std::move(opened).value(), options_.observe);
    // The replay warms sessions and tables too.
    Executor executor(options_.limits, clock());
    const auto report = replay_golden(*model, executor);
    if (!report.is_ok()) return report.status().within(folder.string());
    if (!report->mismatches.empty())
        return Status(Code::BUNDLE_GOLDEN_MISMATCH, folder.string() + ": " + std::to_string(report->mismatches.size()) +
                                                        " golden requests do not match, first " + report->mismatches[0]);
    model->golden_passed = report->passed;
    model->load_ms = static_cast<double>(clock().now() - started) / 1000.0;
    routes_.add(model);
    // Opening took more than serving does, and the same version may just have been replaced.
    release_free_memory();
    return info_of(*model, {});
}

Status Core::unload(const std::string& name, const std::string& version) {
    if (is_closed()) return engine_closed();
    {
        const auto removed = routes_.remove(name, version);
        RANKD_RETURN_IF_ERROR(removed.status());
    }
    release_free_memory();
    return Status::ok();
}

Status Core::route(const std::string& name, Routes::Aliases aliases) {
    if (is_closed()) return engine_closed();
    return routes_.set_aliases(name, std::move(aliases));
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

CoreStats Core::stats() const {
    CoreStats stats;
    for (const Routes::Entry& entry : routes_.list()) {
        stats.models.push_back(info_of(*entry.model, entry.aliases));
        for (const wire::Operation operation : entry.model->bundle().operations())
            stats.operations.push_back({entry.model->name(), entry.model->version(), std::string(wire::operation_name(operation)),
                                        entry.model->counters(operation).snapshot()});
    }
    stats.errors = errors_.snapshot();
    stats.open_requests = static_cast<uint64_t>(std::max<int64_t>(0, open_requests_.load(std::memory_order_relaxed)));
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
    routes_.clear();
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
