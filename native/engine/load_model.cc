// Open, verify, replay, warm.
#include "engine/load_model.h"

#include "engine/golden.h"
#include "engine/warm_up.h"

namespace rankd::engine {
namespace {

Status check_golden(const GoldenFile& golden, Model& model, Executor& executor) {
    const GoldenReport report = replay_golden(golden, model, executor);
    model.golden_passed = report.passed;
    if (report.mismatches.empty()) return Status::ok();
    return {Code::BUNDLE_GOLDEN_MISMATCH,
            std::to_string(report.mismatches.size()) + " golden requests do not match, first " + report.mismatches[0]};
}

RecordedBody body_of(const std::string& json) {
    RecordedBody body{wire::Codec::kOip, wire::kAllJson, {json.begin(), json.end()}};
    body.bytes.resize(body.bytes.size() + wire::kBodyPadding);
    return body;
}

/// Requests that the manifest names must be answered: a model that cannot is not what it says.
Status check_warmup(Model& model, Executor& executor) {
    const std::vector<std::string>& requests = model.bundle().manifest().infer.warmup;
    for (size_t i = 0; i < requests.size(); ++i) {
        const RecordedBody body = body_of(requests[i]);
        Job job;
        job.codec = body.codec;
        job.body = body.body();
        const Status& status = executor.run(model, wire::Operation::kInfer, {&job, 1})[0].status;
        if (!status.is_ok())
            return {Code::BUNDLE_INVALID, "manifest.json: infer.warmup[" + std::to_string(i) + "]: " + status.message()};
    }
    return Status::ok();
}

void warm(const GoldenFile& golden, Model& model, Executor& executor, const Clock& clock, const Routes& routes) {
    WarmUp warm_up;
    warm_up.add(golden);
    for (const std::string& request : model.bundle().manifest().infer.warmup)
        warm_up.add(wire::Operation::kInfer, body_of(request));
    for (const auto& serving : routes.versions_of(model.name())) warm_up.add(*serving);
    const WarmUp::Report report = warm_up.run(model, executor, clock);
    model.warmed_requests = report.requests;
    model.warmed_failures = report.failed;
}

/// The version that answers to the name alone is the one whose work this one takes over.
void take_over(Model& model, const Routes& routes) {
    const auto serving = routes.resolve(model.name());
    if (!serving.is_ok()) return;
    model.pace().adopt((*serving)->pace());
    for (const wire::Operation operation : model.bundle().operations()) model.cost(operation).adopt((*serving)->cost(operation));
}

}  // namespace

Result<std::shared_ptr<Model>> load_model(const std::filesystem::path& folder, const LoadOptions& options, const Routes& routes) {
    const Micros started = options.clock.now();
    auto opened = pipeline::Bundle::open(folder, options.sessions, {options.precompute_bytes, options.manifest});
    if (!opened.is_ok()) return opened.status().within(folder.string());
    auto model = std::make_shared<Model>(std::move(opened).value(), options.request_log);
    const auto golden = GoldenFile::open(model->bundle());
    if (!golden.is_ok()) return golden.status().within(folder.string());
    Executor executor(options.limits, options.clock);
    if (const Status status = check_golden(*golden, *model, executor); !status.is_ok()) return status.within(folder.string());
    if (const Status status = check_warmup(*model, executor); !status.is_ok()) return status.within(folder.string());
    take_over(*model, routes);
    warm(*golden, *model, executor, options.clock, routes);
    model->load_ms = static_cast<double>(options.clock.now() - started) / 1000.0;
    return model;
}

}  // namespace rankd::engine
