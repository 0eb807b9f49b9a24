// Conversions to JavaScript values.
#include "napi/to_js.h"

#include "kernels/kernels.h"

namespace rankd::napi {
namespace {

Napi::Array to_js(Napi::Env env, const std::vector<std::string>& texts) {
    Napi::Array list = Napi::Array::New(env, texts.size());
    for (uint32_t i = 0; i < texts.size(); ++i) list.Set(i, texts[i]);
    return list;
}

template <typename Number>
Napi::Array numbers(Napi::Env env, const std::vector<Number>& values) {
    Napi::Array list = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) list.Set(i, static_cast<double>(values[i]));
    return list;
}

Napi::Object to_js(Napi::Env env, const std::map<std::string, uint64_t>& counts) {
    Napi::Object object = Napi::Object::New(env);
    for (const auto& [name, count] : counts) object.Set(name, static_cast<double>(count));
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::Histogram::Snapshot& histogram) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("bounds", numbers(env, histogram.bounds));
    object.Set("counts", numbers(env, histogram.counts));
    object.Set("sum", histogram.sum);
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::OperationStats& stats) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("model", stats.model);
    object.Set("version", stats.version);
    object.Set("operation", stats.operation);
    object.Set("requests", static_cast<double>(stats.counters.requests));
    object.Set("errors", to_js(env, stats.counters.errors));
    object.Set("rows", static_cast<double>(stats.counters.rows));
    object.Set("degraded", to_js(env, stats.counters.degraded));
    object.Set("requestUs", to_js(env, stats.counters.request_us));
    object.Set("queueUs", to_js(env, stats.counters.queue_us));
    object.Set("computeUs", to_js(env, stats.counters.compute_us));
    object.Set("batchRequests", to_js(env, stats.counters.batch_requests));
    return object;
}

template <typename T>
Napi::Array list_of(Napi::Env env, const std::vector<T>& values) {
    Napi::Array list = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) list.Set(i, napi::to_js(env, values[i]));
    return list;
}

}  // namespace

Napi::Error error_of(Napi::Env env, const Status& status) {
    Napi::Error error = Napi::Error::New(env, status.message());
    error.Set("code", Napi::String::New(env, std::string(code_name(status.code()))));
    if (status.retry_after_ms() > 0) error.Set("retryAfterMs", Napi::Number::New(env, status.retry_after_ms()));
    return error;
}

void throw_status(Napi::Env env, const Status& status) {
    error_of(env, status).ThrowAsJavaScriptException();
}

Napi::Object to_js(Napi::Env env, const engine::ModelInfo& info) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", info.name);
    object.Set("version", info.version);
    object.Set("kind", info.kind);
    object.Set("description", info.description);
    object.Set("operations", to_js(env, info.operations));
    object.Set("aliases", to_js(env, info.aliases));
    object.Set("items", static_cast<double>(info.items));
    object.Set("users", static_cast<double>(info.users));
    object.Set("bytes", static_cast<double>(info.bytes));
    object.Set("goldenPassed", info.golden_passed);
    object.Set("precomputedBytes", static_cast<double>(info.precomputed_bytes));
    object.Set("loadMs", info.load_ms);
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::CoreStats& stats) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("models", list_of(env, stats.models));
    Napi::Array operations = Napi::Array::New(env, stats.operations.size());
    for (uint32_t i = 0; i < stats.operations.size(); ++i) operations.Set(i, to_js(env, stats.operations[i]));
    object.Set("operations", operations);
    object.Set("errors", to_js(env, stats.errors));
    object.Set("openRequests", static_cast<double>(stats.open_requests));
    object.Set("computeQueueLength", static_cast<double>(stats.compute_queue_length));
    object.Set("handles", static_cast<double>(stats.handles));
    object.Set("computeThreads", stats.compute_threads);
    object.Set("isa", std::string(kernels::kernel_report().isa));
    object.Set("onnxruntime", std::string(session::ort_version()));
    object.Set("draining", stats.is_draining);
    return object;
}

bool bytes_of(const Napi::Value& value, std::span<const uint8_t>& bytes) {
    if (value.IsTypedArray()) {
        const auto array = value.As<Napi::TypedArray>();
        if (array.TypedArrayType() != napi_uint8_array) return false;
        bytes = {static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
        return true;
    }
    if (!value.IsArrayBuffer()) return false;
    auto buffer = value.As<Napi::ArrayBuffer>();
    bytes = {static_cast<const uint8_t*>(buffer.Data()), buffer.ByteLength()};
    return true;
}

}  // namespace rankd::napi
