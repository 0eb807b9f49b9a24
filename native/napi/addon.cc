// The addon's entry point: each JavaScript environment initialises it anew, all of them share the process's cores.
#include <napi.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/memory.h"
#include "engine/core.h"
#include "engine/handle.h"
#include "napi/objects.h"
#include "napi/to_js.h"

namespace rankd::napi {
namespace {

/// A whole-number option, or `fallback` when it is absent; sets `status` for anything else.
uint32_t number_option(const Napi::Object& options, const char* key, uint32_t fallback, Status& status) {
    const Napi::Value value = options.Get(key);
    if (value.IsUndefined() || value.IsNull()) return fallback;
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (number >= 0 && number <= UINT32_MAX && number == static_cast<uint32_t>(number)) return static_cast<uint32_t>(number);
    status = {Code::INVALID_ARGUMENT, std::string(key) + " must be a whole number from 0"};
    return fallback;
}

/// A switch, or `fallback` when it is absent; sets `status` for anything else.
bool switch_option(const Napi::Object& options, const char* key, bool fallback, Status& status) {
    const Napi::Value value = options.Get(key);
    if (value.IsUndefined() || value.IsNull()) return fallback;
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
    status = {Code::INVALID_ARGUMENT, std::string(key) + " must be true or false"};
    return fallback;
}

/// One of three words, or the default when it is absent; sets `status` for anything else.
store::Fsync fsync_option(const Napi::Object& options, const char* key, Status& status) {
    constexpr std::array<std::string_view, 3> kWords = {"never", "interval", "always"};
    const Napi::Value value = options.Get(key);
    if (value.IsUndefined() || value.IsNull()) return store::Fsync::kInterval;
    const std::string word = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
    const auto found = std::find(kWords.begin(), kWords.end(), word);
    if (found != kWords.end()) return static_cast<store::Fsync>(found - kWords.begin());
    status = {Code::INVALID_ARGUMENT, std::string(key) + " must be never, interval or always"};
    return store::Fsync::kInterval;
}

void read_event_log(const Napi::Object& given, engine::CoreOptions& options, Status& status) {
    const Napi::Value folder = given.Get("eventLog");
    if (folder.IsString()) options.event_log = folder.As<Napi::String>().Utf8Value();
    if (!folder.IsString() && !folder.IsUndefined() && !folder.IsNull())
        status = {Code::INVALID_ARGUMENT, "eventLog must be the path of a folder"};
    store::SegmentOptions& segments = options.event_log_options.segments;
    segments.segment_bytes =
        uint64_t{number_option(given, "eventLogSegmentMib", static_cast<uint32_t>(segments.segment_bytes >> 20), status)} << 20;
    segments.keep_bytes = uint64_t{number_option(given, "eventLogKeepMib", 0, status)} << 20;
    segments.fsync = fsync_option(given, "eventLogFsync", status);
}

// createCore(options: CoreOptions): NativeCore
Napi::Value js_create_core(const Napi::CallbackInfo& info) {
    const Napi::Object given = info[0].IsObject() ? info[0].As<Napi::Object>() : Napi::Object::New(info.Env());
    engine::CoreOptions options;
    Status status;
    options.compute_threads =
        number_option(given, "computeThreads", std::max(1u, std::thread::hardware_concurrency() / 2), status);
    options.queue_capacity = number_option(given, "queueCapacity", options.queue_capacity, status);
    options.short_work_us = number_option(given, "shortWorkUs", options.short_work_us, status);
    options.limits.max_frame_bytes = number_option(given, "maxFrameBytes", options.limits.max_frame_bytes, status);
    options.limits.max_oip_bytes = number_option(given, "maxOipBytes", options.limits.max_oip_bytes, status);
    options.default_deadline_ms = number_option(given, "defaultDeadlineMs", options.default_deadline_ms, status);
    options.max_wait_ms = number_option(given, "maxWaitMs", options.max_wait_ms, status);
    options.workers_have_cores = switch_option(given, "workersHaveCores", options.workers_have_cores, status);
    options.precompute_bytes =
        uint64_t{number_option(given, "precomputeMib", static_cast<uint32_t>(options.precompute_bytes >> 20), status)} << 20;
    options.response_cache_bytes = uint64_t{number_option(given, "responseCacheMib", 0, status)} << 20;
    options.response_cache_ttl_ms = number_option(given, "responseCacheTtlMs", 0, status);
    read_event_log(given, options, status);
    options.observe = switch_option(given, "observe", options.observe, status);
    if (options.compute_threads > 256) status = {Code::INVALID_ARGUMENT, "computeThreads must be at most 256"};
    if (!status.is_ok()) {
        throw_status(info.Env(), status);
        return {};
    }
    prefer_returning_memory();
    const auto core = engine::Core::create(std::move(options));
    // A process or worker thread that ends without `close` must not leave threads behind that use unloaded code.
    napi_add_env_cleanup_hook(
        info.Env(),
        [](void* id) {
            if (const auto open = engine::Core::find(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(id)))) open->close();
        },
        reinterpret_cast<void*>(static_cast<uintptr_t>(core->id())));
    return make_core_object(info.Env(), core);
}

std::shared_ptr<engine::Core> find_core(const Napi::CallbackInfo& info) {
    auto core = info[0].IsNumber() ? engine::Core::find(info[0].As<Napi::Number>().Uint32Value()) : nullptr;
    if (core == nullptr)
        throw_status(info.Env(), {Code::INVALID_HANDLE, "there is no core with this id in this process, or it has been closed"});
    return core;
}

// core(id: number): NativeCore
Napi::Value js_core(const Napi::CallbackInfo& info) {
    auto core = find_core(info);
    return core == nullptr ? Napi::Value() : make_core_object(info.Env(), std::move(core));
}

// attach(coreId: number): NativeHandle
Napi::Value js_attach(const Napi::CallbackInfo& info) {
    const auto core = find_core(info);
    if (core == nullptr) return {};
    auto handle = core->attach();
    if (!handle.is_ok()) {
        throw_status(info.Env(), handle.status());
        return {};
    }
    return make_handle_object(info.Env(), std::move(handle).value());
}

// catalogue(): CatalogueEntry[]
Napi::Value js_catalogue(const Napi::CallbackInfo& info) {
    size_t size = 0;
    const CodeInfo* entries = code_catalogue(size);
    Napi::Array list = Napi::Array::New(info.Env(), size);
    for (uint32_t i = 0; i < size; ++i) {
        Napi::Object entry = Napi::Object::New(info.Env());
        entry.Set("number", static_cast<uint32_t>(entries[i].code));
        entry.Set("name", std::string(entries[i].name));
        entry.Set("httpStatus", entries[i].http_status);
        entry.Set("retryable", entries[i].retryable);
        list.Set(i, entry);
    }
    return list;
}

// exitNow(code: number): never
void js_exit_now(const Napi::CallbackInfo& info) {
    std::_Exit(info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 1);
}

}  // namespace
}  // namespace rankd::napi

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    using namespace rankd::napi;
    exports.Set("createCore", Napi::Function::New<js_create_core>(env, "createCore"));
    exports.Set("core", Napi::Function::New<js_core>(env, "core"));
    exports.Set("attach", Napi::Function::New<js_attach>(env, "attach"));
    exports.Set("catalogue", Napi::Function::New<js_catalogue>(env, "catalogue"));
    exports.Set("exitNow", Napi::Function::New<js_exit_now>(env, "exitNow"));
    return exports;
}

NODE_API_MODULE(rankd, initialise)
