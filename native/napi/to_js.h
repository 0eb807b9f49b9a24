// From the engine's types to JavaScript's, and the one place that turns a Status into a thrown error.
#pragma once

#include <napi.h>

#include <map>
#include <string>

#include "base/status.h"
#include "engine/core.h"

namespace rankd::napi {

/// An Error with `code` (the catalogue's name) and `retryAfterMs`.
Napi::Error error_of(Napi::Env env, const Status& status);
void throw_status(Napi::Env env, const Status& status);

Napi::Object to_js(Napi::Env env, const engine::ModelInfo& info);
Napi::Array to_js(Napi::Env env, const std::vector<engine::ModelInfo>& models);
Napi::Object to_js(Napi::Env env, const store::EventLogStats& stats);
Napi::Object to_js(Napi::Env env, const engine::CoreStats& stats);

/// The object's wrapped T, or nullptr after throwing INVALID_HANDLE.
template <typename T>
T* unwrap(const Napi::CallbackInfo& info, const napi_type_tag& tag, const char* what) {
    void* wrapped = nullptr;
    const Napi::Value self = info.This();
    if (self.IsObject() && self.As<Napi::Object>().CheckTypeTag(&tag) && napi_unwrap(info.Env(), self, &wrapped) == napi_ok)
        return static_cast<T*>(wrapped);
    throw_status(info.Env(), {Code::INVALID_HANDLE, std::string("this method was called on something that is no ") + what});
    return nullptr;
}

/// Wraps `value` into a new tagged object that deletes it when it is collected.
template <typename T>
Napi::Object wrap(Napi::Env env, std::unique_ptr<T> value, const napi_type_tag& tag) {
    Napi::Object object = Napi::Object::New(env);
    object.TypeTag(&tag);
    napi_wrap(env, object, value.release(), [](napi_env, void* data, void*) { delete static_cast<T*>(data); }, nullptr, nullptr);
    return object;
}

/// The bytes of a Uint8Array (or Buffer) or ArrayBuffer. @return false for anything else
bool bytes_of(const Napi::Value& value, std::span<const uint8_t>& bytes);

}  // namespace rankd::napi
