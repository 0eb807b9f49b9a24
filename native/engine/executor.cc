// One batch from bytes to bytes.
#include "engine/executor.h"

#include "pipeline/infer.h"
#include "pipeline/stages.h"

namespace rankd::engine {
namespace {

uint32_t elapsed(Micros from, Micros to) {
    return to > from ? static_cast<uint32_t>(std::min<Micros>(to - from, UINT32_MAX)) : 0;
}

wire::AnswerKind kind_of(const wire::Request& request) {
    switch (request.operation) {
        case wire::Operation::kInfer:
            return wire::AnswerKind::kOutputs;
        case wire::Operation::kScore:
            return wire::AnswerKind::kScores;
        default:
            return request.order == wire::Order::kInput ? wire::AnswerKind::kScores : wire::AnswerKind::kItems;
    }
}

/// The first dimension of the first output, which for almost every graph is its batch.
size_t rows_of(std::span<const wire::NamedTensor> outputs) {
    return outputs.empty() || outputs[0].shape.empty() ? 0 : static_cast<size_t>(outputs[0].shape[0]);
}

/// Candidates and rows travel in the body; what the others cost hardly depends on it.
bool grows_with_body(wire::Operation operation) {
    return operation == wire::Operation::kRank || operation == wire::Operation::kScore || operation == wire::Operation::kInfer;
}

wire::Answer answer_of(const Model& model, const Job& job, const pipeline::RequestState& state) {
    wire::Answer answer;
    answer.request_id = job.request_id;
    answer.model = model.name();
    answer.version = model.version();
    answer.degraded = state.degraded;
    answer.kind = kind_of(*state.request);
    answer.items = state.items;
    answer.scores = state.scores;
    answer.decisions = state.decisions;
    answer.outputs = state.outputs;
    return answer;
}

}  // namespace

AnswerRecord encode_failure(const Job& job, const Status& status, ByteBuffer& out) {
    const auto offset = static_cast<uint32_t>(out.size());
    wire::encode_error(job.codec, job.framing, job.request_id, status, out);
    return {offset, static_cast<uint32_t>(out.size()) - offset, status.code(), status.retry_after_ms()};
}

std::span<const pipeline::RequestState> Executor::run(Model& model, wire::Operation operation, std::span<const Job> jobs) {
    scratch_.arena.reset();
    requests_.resize(jobs.size());
    scratch_.requests.clear();
    scratch_.requests.resize(jobs.size());
    for (size_t i = 0; i < jobs.size(); ++i) {
        pipeline::RequestState& state = scratch_.requests[i];
        requests_[i] = {};
        state.request = &requests_[i];
        state.status = decoder_.decode(operation, jobs[i].codec, jobs[i].body, scratch_.arena, requests_[i]);
    }
    if (operation == wire::Operation::kInfer && model.bundle().default_graph() != nullptr) {
        pipeline::run_infer(*model.bundle().default_graph(), scratch_.arena, scratch_.requests);
        return scratch_.requests;
    }
    const pipeline::Plan* plan = model.bundle().plan(operation);
    if (plan == nullptr) {
        const std::string message = "\"" + model.name() + "\" does not offer " + std::string(wire::operation_name(operation));
        for (pipeline::RequestState& state : scratch_.requests)
            if (state.is_ok()) state.status = {Code::UNSUPPORTED_OPERATION, message};
        return scratch_.requests;
    }
    live_ = model.live();
    pipeline::Batch batch{model.bundle(),   *plan, operation, pipeline::Catalogue(model.bundle(), *live_), scratch_,
                          scratch_.requests};
    pipeline::run_pipeline(batch);
    return scratch_.requests;
}

void Executor::execute(Model& model, wire::Operation operation, std::span<const Job> jobs, ByteBuffer& out,
                       std::span<AnswerRecord> records) {
    const Micros started = clock_.now();
    const auto states = run(model, operation, jobs);
    const Micros computed = clock_.now();
    OperationCounters& counters = model.counters(operation);
    counters.record_batch(jobs.size());
    size_t body_bytes = 0;
    for (size_t i = 0; i < jobs.size(); ++i) {
        body_bytes += jobs[i].body.size();
        const pipeline::RequestState& state = states[i];
        RequestOutcome outcome;
        outcome.code = state.status.code();
        outcome.timing = {elapsed(jobs[i].submitted_at, started), elapsed(started, computed),
                          elapsed(jobs[i].submitted_at, clock_.now())};
        if (state.is_ok()) {
            wire::Answer answer = answer_of(model, jobs[i], state);
            answer.timing = outcome.timing;
            outcome.degraded = state.degraded;
            outcome.rows = std::max({state.candidates.size(), state.scores.size(), rows_of(state.outputs)});
            records[i] = {static_cast<uint32_t>(out.size()), 0, Code::OK, 0};
            wire::encode_answer(jobs[i].codec, jobs[i].framing, answer, out);
            records[i].length = static_cast<uint32_t>(out.size()) - records[i].offset;
        } else {
            records[i] = encode_failure(jobs[i], state.status, out);
        }
        counters.record(outcome);
    }
    model.cost(operation).learn(static_cast<double>(clock_.now() - started), jobs.size(), body_bytes, grows_with_body(operation));
    live_.reset();
}

}  // namespace rankd::engine
