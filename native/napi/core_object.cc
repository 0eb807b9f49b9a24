// The JavaScript face of a core; src/native/addon.ts lists the same methods.
#include <cmath>

#include "engine/core.h"
#include "napi/logged_requests.h"
#include "napi/objects.h"
#include "napi/promise_worker.h"
#include "napi/tags.h"
#include "napi/to_js.h"

namespace rankd::napi {
namespace {

using engine::Core;

struct CoreObject {
    std::shared_ptr<Core> core;
};

CoreObject* self_of(const Napi::CallbackInfo& info) {
    return unwrap<CoreObject>(info, kCoreTag, "core");
}

/// Text argument `i`, or false after throwing.
bool text_argument(const Napi::CallbackInfo& info, size_t i, const char* name, std::string& text) {
    if (info[i].IsString()) {
        text = info[i].As<Napi::String>();
        return true;
    }
    throw_status(info.Env(), {Code::INVALID_ARGUMENT, std::string(name) + " must be a string"});
    return false;
}

class LoadWorker final : public PromiseWorker {
  public:
    LoadWorker(Napi::Env env, std::shared_ptr<Core> core, std::string path, std::optional<std::string> manifest)
        : PromiseWorker(env), core_(std::move(core)), path_(std::move(path)), manifest_(std::move(manifest)) {}

  private:
    Status run() override {
        auto loaded = core_->load(path_, std::move(manifest_));
        if (!loaded.is_ok()) return loaded.status();
        info_ = std::move(loaded).value();
        return Status::ok();
    }
    Napi::Value result(Napi::Env env) override { return to_js(env, info_); }

    std::shared_ptr<Core> core_;
    std::string path_;
    std::optional<std::string> manifest_;
    engine::ModelInfo info_;
};

class UnloadWorker final : public PromiseWorker {
  public:
    UnloadWorker(Napi::Env env, std::shared_ptr<Core> core, std::string name, std::string version)
        : PromiseWorker(env), core_(std::move(core)), name_(std::move(name)), version_(std::move(version)) {}

  private:
    Status run() override { return core_->unload(name_, version_); }

    std::shared_ptr<Core> core_;
    std::string name_, version_;
};

class CloseWorker final : public PromiseWorker {
  public:
    CloseWorker(Napi::Env env, std::shared_ptr<Core> core) : PromiseWorker(env), core_(std::move(core)) {}

  private:
    Status run() override {
        core_->close();
        return Status::ok();
    }

    std::shared_ptr<Core> core_;
};

// load(path: string, manifest?: string): Promise<ModelInfo>
Napi::Value js_load(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    std::string path;
    if (self == nullptr || !text_argument(info, 0, "path", path)) return {};
    std::optional<std::string> manifest;
    if (!info[1].IsUndefined() && !text_argument(info, 1, "manifest", manifest.emplace())) return {};
    return PromiseWorker::start(new LoadWorker(info.Env(), self->core, std::move(path), std::move(manifest)));
}

// unload(name: string, version: string): Promise<void>
Napi::Value js_unload(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    std::string name, version;
    if (self == nullptr || !text_argument(info, 0, "name", name) || !text_argument(info, 1, "version", version)) return {};
    return PromiseWorker::start(new UnloadWorker(info.Env(), self->core, std::move(name), std::move(version)));
}

// close(): Promise<void>
Napi::Value js_close(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    if (self == nullptr) return {};
    return PromiseWorker::start(new CloseWorker(info.Env(), self->core));
}

// route(name: string, aliases: Record<string, string>): void
void js_route(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    std::string name;
    if (self == nullptr || !text_argument(info, 0, "name", name)) return;
    engine::Routes::Aliases aliases;
    const Napi::Object given = info[1].IsObject() ? info[1].As<Napi::Object>() : Napi::Object::New(info.Env());
    const Napi::Array keys = given.GetPropertyNames();
    for (uint32_t i = 0; i < keys.Length(); ++i) {
        const Napi::Value key = keys.Get(i), version = given.Get(key);
        if (!version.IsString())
            return throw_status(info.Env(), {Code::INVALID_ARGUMENT, "aliases must map names to versions, both strings"});
        aliases.emplace(key.As<Napi::String>(), version.As<Napi::String>());
    }
    if (const Status status = self->core->route(name, std::move(aliases)); !status.is_ok()) throw_status(info.Env(), status);
}

/// A bound of `tune`, 0 when absent; false after throwing.
bool bound_argument(const Napi::Object& bounds, const char* key, uint32_t& bound) {
    const Napi::Value value = bounds.Get(key);
    if (value.IsUndefined()) return true;
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (number >= 0 && number <= UINT32_MAX && number == std::floor(number)) {
        bound = static_cast<uint32_t>(number);
        return true;
    }
    throw_status(bounds.Env(), {Code::INVALID_ARGUMENT, std::string(key) + " must be a whole number from 0"});
    return false;
}

// tune(name: string, bounds: ServingBounds): void
void js_tune(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    std::string name;
    if (self == nullptr || !text_argument(info, 0, "name", name)) return;
    const Napi::Object given = info[1].IsObject() ? info[1].As<Napi::Object>() : Napi::Object::New(info.Env());
    engine::ServingBounds bounds;
    if (!bound_argument(given, "sloP99Ms", bounds.slo_p99_ms) || !bound_argument(given, "maxBatchRows", bounds.max_batch_rows) ||
        !bound_argument(given, "maxBatchUs", bounds.max_batch_us) || !bound_argument(given, "maxWaitMs", bounds.max_wait_ms))
        return;
    self->core->tune(name, bounds);
}

Napi::Value change_items(const Napi::CallbackInfo& info,
                         Status (Core::*change)(std::string_view, std::span<const uint8_t>, uint32_t&)) {
    const CoreObject* self = self_of(info);
    std::string target;
    if (self == nullptr || !text_argument(info, 0, "target", target)) return {};
    std::span<const uint8_t> bytes;
    uint32_t count = 0;
    const Status status = bytes_of(info[1], bytes)
                              ? (*self->core.*change)(target, bytes, count)
                              : Status(Code::INVALID_ARGUMENT, "the second argument must be a Uint8Array of msgpack");
    if (!status.is_ok()) {
        throw_status(info.Env(), status);
        return {};
    }
    return Napi::Number::New(info.Env(), count);
}

// upsert(target: string, items: Uint8Array): number
Napi::Value js_upsert(const Napi::CallbackInfo& info) {
    return change_items(info, &Core::upsert);
}

// remove(target: string, ids: Uint8Array): number
Napi::Value js_remove(const Napi::CallbackInfo& info) {
    return change_items(info, &Core::remove);
}

// stats(): CoreStats
Napi::Value js_stats(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    return self == nullptr ? Napi::Value() : to_js(info.Env(), self->core->stats());
}

// models(): ModelInfo[]
Napi::Value js_models(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    return self == nullptr ? Napi::Value() : to_js(info.Env(), self->core->models());
}

// slowRequests(): SlowRequests
Napi::Value js_slow_requests(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    return self == nullptr ? Napi::Value() : slow_requests(info.Env(), *self->core);
}

// takeTraces(): TracedRequest[]
Napi::Value js_take_traces(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    return self == nullptr ? Napi::Value() : take_traces(info.Env(), *self->core);
}

// eventLog(): EventLogStats | undefined
Napi::Value js_event_log(const Napi::CallbackInfo& info) {
    const CoreObject* self = self_of(info);
    if (self == nullptr || self->core->event_log() == nullptr) return info.Env().Undefined();
    return to_js(info.Env(), self->core->event_log()->stats());
}

// drain(): void
void js_drain(const Napi::CallbackInfo& info) {
    if (const CoreObject* self = self_of(info)) self->core->drain();
}

}  // namespace

Napi::Object make_core_object(Napi::Env env, std::shared_ptr<Core> core) {
    const uint32_t id = core->id();
    Napi::Object object = wrap(env, std::make_unique<CoreObject>(CoreObject{std::move(core)}), kCoreTag);
    object.DefineProperty(Napi::PropertyDescriptor::Value("id", Napi::Number::New(env, id), napi_enumerable));
    object.Set("load", Napi::Function::New<js_load>(env, "load"));
    object.Set("unload", Napi::Function::New<js_unload>(env, "unload"));
    object.Set("route", Napi::Function::New<js_route>(env, "route"));
    object.Set("tune", Napi::Function::New<js_tune>(env, "tune"));
    object.Set("upsert", Napi::Function::New<js_upsert>(env, "upsert"));
    object.Set("remove", Napi::Function::New<js_remove>(env, "remove"));
    object.Set("stats", Napi::Function::New<js_stats>(env, "stats"));
    object.Set("models", Napi::Function::New<js_models>(env, "models"));
    object.Set("slowRequests", Napi::Function::New<js_slow_requests>(env, "slowRequests"));
    object.Set("takeTraces", Napi::Function::New<js_take_traces>(env, "takeTraces"));
    object.Set("eventLog", Napi::Function::New<js_event_log>(env, "eventLog"));
    object.Set("drain", Napi::Function::New<js_drain>(env, "drain"));
    object.Set("close", Napi::Function::New<js_close>(env, "close"));
    return object;
}

}  // namespace rankd::napi
