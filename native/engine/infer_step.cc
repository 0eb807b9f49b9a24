#include "engine/infer_step.h"

#include <algorithm>

#include "engine/elapsed.h"
#include "engine/model.h"
#include "pipeline/infer.h"

namespace rankd::engine {
namespace {

using pipeline::RequestState;

/// Whoever computes the response does it at this moment. If it takes longer than any request is meant to wait, something is wrong
/// there, and computing it here is better than not to know.
constexpr Micros kLongestWait = 1'000'000;

/// Triton's rule: a request without rows was one all the same.
uint32_t counted_rows(uint32_t rows) {
    return std::max<uint32_t>(rows, 1);
}

}  // namespace

void InferStep::run(Model& model, pipeline::Scratch& scratch, std::span<const Micros> deadlines) {
    asked_.clear();
    cache_ = model.response_cache();
    const pipeline::InferPlan& plan = *model.bundle().infer_plan();
    if (cache_ == nullptr) return pipeline::run_infer(plan, scratch, clock_);
    run_cached(plan, model, scratch, deadlines);
}

void InferStep::run_cached(const pipeline::InferPlan& plan, Model& model, pipeline::Scratch& scratch,
                           std::span<const Micros> deadlines) {
    asked_.resize(scratch.requests.size());
    for (size_t i = 0; i < asked_.size(); ++i) {
        RequestState& state = scratch.requests[i];
        if (!state.is_ok()) continue;
        const Micros before = clock_.now();
        asked_[i].key = response_key(model.generation(), *state.request, scratch.arena);
        ask(i, state);
        asked_[i].cache_us = elapsed(before, clock_.now());
    }
    pipeline::run_infer(plan, scratch, clock_);
    keep(scratch);
    wait(scratch, deadlines);
    pipeline::run_infer(plan, scratch, clock_);
    keep(scratch);
}

/// A request whose response is in flight is held: a run passes it by.
void InferStep::ask(size_t i, RequestState& state) {
    Asked& asked = asked_[i];
    asked.found = cache_->look_up(asked.key);
    if (asked.found.response) state.outputs = asked.found.response->outputs();
    state.is_held = asked.found.flight != nullptr;
}

/// Every claim of the batch ends here. An error is not kept.
void InferStep::keep(pipeline::Scratch& scratch) {
    for (size_t i = 0; i < asked_.size(); ++i) {
        Asked& asked = asked_[i];
        if (!asked.found.claim) continue;
        const Micros before = clock_.now();
        if (scratch.requests[i].is_ok())
            asked.found.claim->publish(std::make_shared<const CachedResponse>(scratch.requests[i].outputs));
        asked.found.claim.reset();
        asked.cache_us += elapsed(before, clock_.now());
    }
}

/// What is still not there is computed here: for the cache too where nobody else has claimed it meanwhile.
void InferStep::wait(pipeline::Scratch& scratch, std::span<const Micros> deadlines) {
    const Micros until = clock_.now() + kLongestWait;
    for (size_t i = 0; i < asked_.size(); ++i) {
        RequestState& state = scratch.requests[i];
        if (!state.is_held) continue;
        Asked& asked = asked_[i];
        const Micros before = clock_.now();
        asked.found.response = asked.found.flight->wait_for((deadlines[i] == 0 ? until : std::min(until, deadlines[i])) - before);
        if (asked.found.response)
            state.outputs = asked.found.response->outputs();
        else
            ask(i, state);
        state.is_held = false;
        asked.cache_us += elapsed(before, clock_.now());
    }
}

void InferStep::count_runs(Model& model, const pipeline::Scratch& scratch) const {
    for (const pipeline::InferRun& run : scratch.infer_runs)
        model.inference().record_run(
            counted_rows(run.rows),
            {elapsed(run.began_at, run.ran_at), elapsed(run.ran_at, run.computed_at), elapsed(run.computed_at, run.ended_at)});
}

/// Decoding is the whole batch's, before all runs: what a request waited ends with it.
InferenceOutcome InferStep::outcome(size_t i, const pipeline::Scratch& scratch, Micros submitted_at, const BatchTimes& batch,
                                    Micros encoding_since) const {
    const RequestState& state = scratch.requests[i];
    const Micros now = clock_.now();
    InferenceOutcome outcome;
    outcome.total_us = elapsed(submitted_at, now);
    if (!asked_.empty()) outcome.cache_us = asked_[i].cache_us;
    if (!is_computed(state)) {
        outcome.cache = InferenceOutcome::Cache::kHit;
        outcome.queue_us = elapsed(submitted_at, batch.started_at);
        return outcome;
    }
    const pipeline::InferRun& run = scratch.infer_runs[state.infer_run];
    const uint32_t decode_us = elapsed(batch.started_at, batch.decoded_at);
    if (!asked_.empty()) outcome.cache = InferenceOutcome::Cache::kMiss;
    outcome.rows = counted_rows(state.infer_rows);
    outcome.queue_us = elapsed(submitted_at + decode_us, run.began_at);
    outcome.times = {decode_us + elapsed(run.began_at, run.ran_at), elapsed(run.ran_at, run.computed_at),
                     elapsed(run.computed_at, run.ended_at) + elapsed(encoding_since, now)};
    return outcome;
}

}  // namespace rankd::engine
