// One batch from bytes to bytes.
#include "engine/executor.h"

#include <algorithm>

#include "engine/elapsed.h"
#include "wire/oip_answer.h"

namespace rankd::engine {
namespace {

wire::AnswerKind kind_of(const wire::Request& request) {
    switch (request.operation) {
        case wire::Operation::kInfer:
            return wire::AnswerKind::kOutputs;
        case wire::Operation::kScore:
            return wire::AnswerKind::kScores;
        case wire::Operation::kFeedback:
            return wire::AnswerKind::kAccepted;
        default:
            return request.order == wire::Order::kInput ? wire::AnswerKind::kScores : wire::AnswerKind::kItems;
    }
}

/// The first dimension of the first output, which for almost every graph is its batch.
size_t rows_of(std::span<const wire::NamedTensor> outputs) {
    return outputs.empty() || outputs[0].shape.empty() ? 0 : static_cast<size_t>(outputs[0].shape[0]);
}

size_t rows_of(const pipeline::RequestState& state) {
    return std::max({state.candidates.size(), state.scores.size(), rows_of(state.outputs)});
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
    answer.accepted = static_cast<uint32_t>(state.request->events.size());
    answer.request = state.request;
    answer.is_streamed = state.request->stream;
    return answer;
}

LoggedRequest logged(const Model& model, wire::Operation operation, const Job& job, const RequestOutcome& outcome) {
    LoggedRequest request;
    request.request_id = LoggedRequest::text_of(job.request_id);
    request.model = ShortText<64>(model.name());
    request.version = ShortText<32>(model.version());
    request.operation = operation;
    request.code = outcome.code;
    request.rows = static_cast<uint32_t>(outcome.rows);
    request.queue_us = outcome.timing.queue_us;
    request.total_us = outcome.timing.total_us;
    request.trace = job.trace;
    return request;
}

}  // namespace

AnswerRecord encode_failure(const Job& job, const Status& status, ByteBuffer& out, uint32_t seq) {
    AnswerRecord record;
    record.offset = static_cast<uint32_t>(out.size());
    if (job.codec == wire::Codec::kOip)
        wire::encode_oip_error(job.request_id, wire::peek_id(wire::oip_json(job.body, job.json_bytes)), status, out);
    else
        wire::encode_error(job.codec, job.framing, job.request_id, status, out, seq);
    record.length = static_cast<uint32_t>(out.size()) - record.offset;
    record.code = status.code();
    record.retry_after_ms = status.retry_after_ms();
    return record;
}

AnswerRecord refuse(Model& model, wire::Operation operation, const Job& job, const Status& status, Micros now, ByteBuffer& out) {
    const uint32_t waited_us = elapsed(job.submitted_at, now);
    const RequestOutcome outcome{status.code(), 0, {waited_us, 0, waited_us}, 0};
    model.counters(operation).record(outcome);
    if (model.log().wants(waited_us, now, job.trace.is_sampled)) {
        LoggedRequest request = logged(model, operation, job, outcome);
        request.at = now;
        model.log().add(request);
    }
    AnswerRecord record = encode_failure(job, status, out);
    record.queue_us = waited_us;
    return record;
}

void Executor::begin(Model& model, wire::Operation operation, std::span<const Job> jobs) {
    started_at_ = clock_.now();
    model_ = &model;
    operation_ = operation;
    sent_ = {};
    if (model.counters(operation).is_on())
        scratch_.stages.start(clock_, started_at_);
    else
        scratch_.stages.stop();
    jobs_.assign(jobs.begin(), jobs.end());
    deadlines_.clear();
    for (const Job& job : jobs) deadlines_.push_back(job.deadline);
    scratch_.arena.reset();
    requests_.resize(jobs.size());
    scratch_.requests.clear();
    scratch_.requests.resize(jobs.size());
    scratch_.infer_runs.clear();
    scratch_.infer_outputs.clear();
    for (size_t i = 0; i < jobs.size(); ++i) {
        pipeline::RequestState& state = scratch_.requests[i];
        requests_[i] = {};
        state.request = &requests_[i];
        state.status = decoder_.decode(operation, jobs[i].codec, jobs[i].body, scratch_.arena, requests_[i],
                                       {jobs[i].json_bytes, model.name()});
        if (requests_[i].trace.is_known) jobs_[i].trace = requests_[i].trace;
    }
    if (const pipeline::Plan* plan = model.bundle().plan(operation)) {
        live_ = model.live();
        run_.emplace(pipeline::Batch{model.bundle(), *plan, operation, pipeline::Catalogue(model.bundle(), *live_), scratch_,
                                     scratch_.requests});
    } else if (operation == wire::Operation::kFeedback) {
        live_ = model.live();  // every model takes it: what users did is told where their answers came from
    } else if (operation != wire::Operation::kInfer || model.bundle().infer_plan() == nullptr) {
        fail_all(Code::UNSUPPORTED_OPERATION,
                 "\"" + model.name() + "\" does not offer " + std::string(wire::operation_name(operation)));
    }
    decoded_at_ = clock_.now();
    scratch_.stages.pass(pipeline::TimedStage::kDecode, decoded_at_);
    busy_ = decoded_at_ - started_at_;
}

void Executor::fail_all(Code code, const std::string& message) {
    for (pipeline::RequestState& state : scratch_.requests)
        if (state.is_ok()) state.status = {code, message};
}

bool Executor::step(size_t max_rows) {
    const Micros before = clock_.now();
    scratch_.stages.go_on(before);
    const bool is_left = run_ && run_->step(max_rows);
    if (!run_) run_step();
    busy_ += clock_.now() - before;
    return is_left;
}

/// Of an operation without a plan.
void Executor::run_step() {
    if (operation_ == wire::Operation::kFeedback) {
        feedback_.run(*model_, *live_, scratch_);
        return scratch_.stages.pass(pipeline::TimedStage::kLog);
    }
    if (model_->bundle().infer_plan() != nullptr) infer_.run(*model_, scratch_, deadlines_);
    scratch_.stages.pass(pipeline::TimedStage::kInfer);
}

void Executor::end() {
    ended_at_ = clock_.now();
    scratch_.stages.go_on(ended_at_);
    run_.reset();
    model_->counters(operation_).record_batch(jobs_.size());
    infer_.count_runs(*model_, scratch_);
    learn();
}

void Executor::learn() {
    CostModel& cost = model_->cost(operation_);
    double units = 0;
    for (size_t i = 0; i < jobs_.size(); ++i) {
        const pipeline::RequestState& state = scratch_.requests[i];
        // Answers from the cache would teach that computing costs nothing.
        if (!state.is_ok() || (operation_ == wire::Operation::kInfer && !InferStep::is_computed(state))) continue;
        const double mine = carries_rows(operation_) ? static_cast<double>(rows_of(state)) : 1;
        if (carries_rows(operation_) && mine > 0) cost.learn_size(jobs_[i].codec, mine, jobs_[i].body.size());
        units += mine;
    }
    if (units > 0) cost.learn(units, static_cast<double>(busy_));
}

wire::Timing Executor::timing_of(const Job& job, Micros now) const {
    return {elapsed(job.submitted_at, started_at_), static_cast<uint32_t>(busy_), elapsed(job.submitted_at, now)};
}

AnswerRecord Executor::encode(size_t i, const wire::Timing& timing, bool is_last, ByteBuffer& out) {
    const pipeline::RequestState& state = scratch_.requests[i];
    wire::Answer answer = answer_of(*model_, jobs_[i], state);
    answer.timing = timing;
    AnswerRecord record;
    record.offset = static_cast<uint32_t>(out.size());
    record.is_last = is_last;
    record.is_streamed = answer.is_streamed;
    if (answer.is_streamed) {
        const size_t count = state.scores_ready - sent_.scores;
        answer.seq = sent_.frames++;
        answer.last = is_last;
        answer.offset = static_cast<uint32_t>(sent_.scores);
        answer.scores = answer.scores.subspan(sent_.scores, count);
        if (!answer.decisions.empty()) answer.decisions = answer.decisions.subspan(sent_.scores, count);
        sent_.scores = state.scores_ready;
    }
    if (jobs_[i].codec == wire::Codec::kOip)
        record.json_bytes = wire::encode_oip_answer(answer, out);
    else
        wire::encode_answer(jobs_[i].codec, jobs_[i].framing, answer, out);
    record.length = static_cast<uint32_t>(out.size()) - record.offset;
    record.queue_us = timing.queue_us;
    record.compute_us = timing.compute_us;
    return record;
}

AnswerRecord Executor::part(size_t i, ByteBuffer& out) {
    const pipeline::RequestState& state = scratch_.requests[i];
    if (!state.is_ok() || !state.request->stream || state.scores_ready == sent_.scores) return {};
    return encode(i, timing_of(jobs_[i], clock_.now()), false, out);
}

AnswerRecord Executor::answer(size_t i, ByteBuffer& out) {
    pipeline::RequestState& state = scratch_.requests[i];
    if (state.is_ok() && jobs_[i].codec == wire::Codec::kOip)
        state.status = wire::check_oip_outputs(*state.request, state.outputs);
    // What encoding adds is not part of it: the answer carries these numbers.
    const RequestOutcome outcome{state.status.code(), state.degraded, timing_of(jobs_[i], ended_at_), rows_of(state)};
    model_->counters(operation_).record(outcome);
    const bool is_counted = operation_ == wire::Operation::kInfer && state.is_ok() && model_->inference().is_on();
    const Micros encoding_since = is_counted ? clock_.now() : 0;
    AnswerRecord record = state.is_ok() ? encode(i, outcome.timing, true, out) : fail(i, outcome.timing, out);
    if (is_counted) inference_ = infer_.outcome(i, scratch_, jobs_[i].submitted_at, {started_at_, decoded_at_}, encoding_since);
    log(i, outcome);
    return record;
}

AnswerRecord Executor::fail(size_t i, const wire::Timing& timing, ByteBuffer& out) {
    AnswerRecord record = encode_failure(jobs_[i], scratch_.requests[i].status, out, sent_.frames);
    record.is_streamed = sent_.frames > 0;
    record.queue_us = timing.queue_us;
    record.compute_us = timing.compute_us;
    return record;
}

/// Tells a slow or traced request on its own; what was encoded of its batch so far counts.
void Executor::log(size_t i, const RequestOutcome& outcome) {
    if (!model_->log().wants(outcome.timing.total_us, ended_at_, jobs_[i].trace.is_sampled)) return;
    LoggedRequest request = logged(*model_, operation_, jobs_[i], outcome);
    request.at = clock_.now();
    request.total_us = elapsed(jobs_[i].submitted_at, request.at);
    request.batch_requests = static_cast<uint32_t>(jobs_.size());
    pipeline::StageClock stages = scratch_.stages;
    stages.pass(pipeline::TimedStage::kEncode, request.at);
    request.stages = stages.times();
    model_->log().add(request);
}

void Executor::close() {
    scratch_.stages.pass(pipeline::TimedStage::kEncode);
    model_->counters(operation_).record_stages(scratch_.stages.times());
    release();
}

void Executor::release() {
    run_.reset();
    scratch_.infer_outputs.clear();
    infer_.release();
    live_.reset();
}

std::span<const pipeline::RequestState> Executor::run(Model& model, wire::Operation operation, std::span<const Job> jobs) {
    begin(model, operation, jobs);
    step(pipeline::kAllRows);
    run_.reset();
    scratch_.stages.stop();
    return scratch_.requests;
}

void Executor::execute(Model& model, wire::Operation operation, std::span<const Job> jobs, ByteBuffer& out,
                       std::span<AnswerRecord> records) {
    begin(model, operation, jobs);
    step(pipeline::kAllRows);
    end();
    for (size_t i = 0; i < jobs.size(); ++i) records[i] = answer(i, out);
    close();
}

}  // namespace rankd::engine
