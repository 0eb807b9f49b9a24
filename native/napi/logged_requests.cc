#include "napi/logged_requests.h"

#include <chrono>

namespace rankd::napi {
namespace {

using engine::LoggedRequest;

/// From the engine's clock, which nobody sets, to the time of day.
class TimeOfDay {
  public:
    explicit TimeOfDay(Micros now) : now_(now) {
        using std::chrono::system_clock, std::chrono::duration_cast, std::chrono::milliseconds;
        unix_ms_ = static_cast<double>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
    }
    /// Milliseconds since 1970.
    double of(Micros at) const { return unix_ms_ - static_cast<double>((now_ - at) / 1000); }

  private:
    const Micros now_;
    double unix_ms_ = 0;
};

Napi::Value text(Napi::Env env, std::string_view view) {
    return Napi::String::New(env, view.data(), view.size());
}

Napi::Object stages_to_js(Napi::Env env, const pipeline::StageTimes& stages) {
    Napi::Object object = Napi::Object::New(env);
    for (size_t i = 0; i < pipeline::kTimedStages; ++i)
        if (stages.has(i)) object.Set(std::string(pipeline::kTimedStageNames[i]), stages.us[i]);
    return object;
}

Napi::Object to_js(Napi::Env env, const LoggedRequest& request, const TimeOfDay& time) {
    Napi::Object object = Napi::Object::New(env);
    const std::string_view id = request.request_id.view();
    object.Set("requestId", id.empty() ? env.Null() : text(env, id));
    object.Set("model", text(env, request.model.view()));
    object.Set("version", text(env, request.version.view()));
    object.Set("operation", text(env, wire::operation_name(request.operation)));
    object.Set("code", text(env, code_name(request.code)));
    object.Set("rows", request.rows);
    object.Set("batchRequests", request.batch_requests);
    object.Set("queueUs", request.queue_us);
    object.Set("stageUs", stages_to_js(env, request.stages));
    object.Set("totalUs", request.total_us);
    object.Set("at", time.of(request.at));
    if (!request.trace.is_known) return object;
    object.Set("traceId", wire::hex(request.trace.trace_id));
    object.Set("parentId", wire::hex(request.trace.parent_id));
    return object;
}

Napi::Array to_js(Napi::Env env, const std::vector<LoggedRequest>& requests, const TimeOfDay& time) {
    Napi::Array list = Napi::Array::New(env, requests.size());
    for (uint32_t i = 0; i < requests.size(); ++i) list.Set(i, to_js(env, requests[i], time));
    return list;
}

}  // namespace

Napi::Object slow_requests(Napi::Env env, engine::Core& core) {
    const Micros now = core.clock().now();
    const TimeOfDay time(now);
    Napi::Object object = Napi::Object::New(env);
    object.Set("since", time.of(engine::RequestLog::since(now)));
    object.Set("requests", to_js(env, core.request_log().slowest(now), time));
    return object;
}

Napi::Array take_traces(Napi::Env env, engine::Core& core) {
    return to_js(env, core.request_log().take_traces(), TimeOfDay(core.clock().now()));
}

}  // namespace rankd::napi
