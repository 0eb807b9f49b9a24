// Conversions to JavaScript values.
#include "napi/to_js.h"

#include "kernels/kernels.h"

namespace rankd::napi {
namespace {

using napi::to_js;

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

Napi::Object to_js(Napi::Env env, const engine::HistogramSnapshot& histogram) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("bounds", numbers(env, histogram.bounds));
    object.Set("counts", numbers(env, histogram.counts));
    object.Set("sum", static_cast<double>(histogram.sum));
    return object;
}

Napi::Object to_js(Napi::Env env, const std::map<std::string, engine::HistogramSnapshot>& histograms) {
    Napi::Object object = Napi::Object::New(env);
    for (const auto& [name, histogram] : histograms) object.Set(name, to_js(env, histogram));
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::OperationStats& stats) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("model", stats.model);
    object.Set("version", stats.version);
    object.Set("operation", stats.operation);
    object.Set("requests", static_cast<double>(stats.counters.requests));
    object.Set("errors", to_js(env, stats.counters.errors));
    object.Set("cuts", to_js(env, stats.cuts));
    object.Set("rows", static_cast<double>(stats.counters.rows));
    object.Set("degraded", to_js(env, stats.counters.degraded));
    object.Set("requestUs", to_js(env, stats.counters.request_us));
    object.Set("queueUs", to_js(env, stats.counters.queue_us));
    object.Set("computeUs", to_js(env, stats.counters.compute_us));
    object.Set("batchRequests", to_js(env, stats.counters.batch_requests));
    object.Set("stageUs", to_js(env, stats.counters.stage_us));
    return object;
}

/// @param us  µs
Napi::Object counted_time(Napi::Env env, uint64_t count, uint64_t us) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("count", static_cast<double>(count));
    object.Set("ns", static_cast<double>(us) * 1000);
    return object;
}

Napi::Object counted_time(Napi::Env env, const engine::InferenceStatistics::CountedTime& time) {
    return counted_time(env, time.count, time.us);
}

Napi::Array batches_to_js(Napi::Env env, const std::map<uint32_t, engine::RunCounts::Snapshot>& batches) {
    Napi::Array list = Napi::Array::New(env);
    for (const auto& [rows, runs] : batches) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("batchSize", rows);
        object.Set("computeInput", counted_time(env, runs.runs, runs.input_us));
        object.Set("computeInfer", counted_time(env, runs.runs, runs.infer_us));
        object.Set("computeOutput", counted_time(env, runs.runs, runs.output_us));
        list.Set(list.Length(), object);
    }
    return list;
}

Napi::Object failures_to_js(Napi::Env env, const std::array<uint64_t, engine::kFailureReasons>& failures) {
    Napi::Object object = Napi::Object::New(env);
    for (size_t i = 0; i < failures.size(); ++i)
        object.Set(std::string(engine::kFailureReasonNames[i]), static_cast<double>(failures[i]));
    return object;
}

Napi::Object durations_to_js(Napi::Env env, const engine::InferenceStatistics::Snapshot& counters) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("request", to_js(env, counters.request_us));
    object.Set("queue", to_js(env, counters.queue_us));
    object.Set("computeInput", to_js(env, counters.input_us));
    object.Set("computeInfer", to_js(env, counters.infer_us));
    object.Set("computeOutput", to_js(env, counters.output_us));
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::InferenceStats& stats) {
    const engine::InferenceStatistics::Snapshot& counters = stats.counters;
    const uint64_t answered = counters.request_us.total(), computed = counters.infer_us.total();
    Napi::Object object = Napi::Object::New(env);
    object.Set("model", stats.model);
    object.Set("version", stats.version);
    object.Set("lastInference", static_cast<double>(counters.last_inference_ms));
    object.Set("inferenceCount", static_cast<double>(counters.inference_count));
    object.Set("executionCount", static_cast<double>(counters.execution_count));
    object.Set("success", counted_time(env, answered, counters.request_us.sum));
    object.Set("fail", counted_time(env, counters.fail));
    object.Set("queue", counted_time(env, answered, counters.queue_us.sum));
    object.Set("computeInput", counted_time(env, computed, counters.input_us.sum));
    object.Set("computeInfer", counted_time(env, computed, counters.infer_us.sum));
    object.Set("computeOutput", counted_time(env, computed, counters.output_us.sum));
    object.Set("cacheHit", counted_time(env, counters.cache_hit));
    object.Set("cacheMiss", counted_time(env, counters.cache_miss));
    object.Set("failures", failures_to_js(env, counters.failures));
    object.Set("pending", static_cast<double>(counters.pending));
    object.Set("batches", batches_to_js(env, counters.batches));
    object.Set("durationsUs", durations_to_js(env, counters));
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::ResponseCache::Usage& usage) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("entries", static_cast<double>(usage.entries));
    object.Set("bytes", static_cast<double>(usage.bytes));
    object.Set("limitBytes", static_cast<double>(usage.capacity_bytes));
    object.Set("evictions", static_cast<double>(usage.evictions));
    return object;
}

Napi::Object to_js(Napi::Env env, const session::TensorInfo& info) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", info.name);
    object.Set("datatype", std::string(datatype_name(info.type)));
    object.Set("shape", numbers(env, info.shape));
    return object;
}

template <typename T>
Napi::Array list_of(Napi::Env env, const std::vector<T>& values) {
    Napi::Array list = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) list.Set(i, to_js(env, values[i]));
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
    object.Set("inputs", list_of(env, info.inputs));
    object.Set("outputs", list_of(env, info.outputs));
    object.Set("maxBatchSize", info.max_batch_size);
    object.Set("whyNotBatched", info.why_not_batched);
    object.Set("aliases", to_js(env, info.aliases));
    object.Set("items", static_cast<double>(info.items));
    object.Set("users", static_cast<double>(info.users));
    object.Set("bytes", static_cast<double>(info.bytes));
    object.Set("goldenPassed", info.golden_passed);
    object.Set("batchUs", info.batch_us);
    object.Set("waitUs", info.wait_us);
    object.Set("warmedRequests", info.warmed_requests);
    object.Set("warmedFailures", info.warmed_failures);
    object.Set("precomputedBytes", static_cast<double>(info.precomputed_bytes));
    object.Set("loadMs", info.load_ms);
    return object;
}

Napi::Array to_js(Napi::Env env, const std::vector<engine::ModelInfo>& models) {
    return list_of(env, models);
}

Napi::Object to_js(Napi::Env env, const store::EventLogStats& stats) {
    Napi::Object object = Napi::Object::New(env);
    const auto count = [&](const char* name, uint64_t value) { object.Set(name, static_cast<double>(value)); };
    count("accepted", stats.accepted);
    count("refusedFull", stats.refused_full);
    count("refusedFailed", stats.refused_failed);
    count("lost", stats.lost);
    count("queuedEvents", stats.queued_events);
    count("queuedBytes", stats.queued_bytes);
    count("writtenBytes", stats.written_bytes);
    count("segments", stats.segments);
    count("removedSegments", stats.removed_segments);
    count("failures", stats.failures);
    object.Set("fault", stats.fault);
    return object;
}

Napi::Object to_js(Napi::Env env, const engine::CoreStats& stats) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("models", to_js(env, stats.models));
    Napi::Array operations = Napi::Array::New(env, stats.operations.size());
    for (uint32_t i = 0; i < stats.operations.size(); ++i) operations.Set(i, to_js(env, stats.operations[i]));
    object.Set("operations", operations);
    object.Set("inference", list_of(env, stats.inference));
    if (stats.response_cache) object.Set("responseCache", to_js(env, *stats.response_cache));
    if (stats.event_log) object.Set("eventLog", to_js(env, *stats.event_log));
    object.Set("errors", to_js(env, stats.errors));
    object.Set("openRequests", static_cast<double>(stats.open_requests));
    object.Set("droppedTraces", static_cast<double>(stats.dropped_traces));
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
