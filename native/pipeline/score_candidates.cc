// score, of candidates: one graph over the candidates of many users, ragged, in runs that fit the caches.
#include <algorithm>
#include <cmath>
#include <limits>

#include "pipeline/score_run.h"
#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

/// A score that is not a number ranks last instead of anywhere.
float rankable(float score) {
    return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
}

/// A ranking failure costs `recommend` its order, not its answer; `rank` has nothing else to give.
void fail_run(const Batch& batch, const Status& status, std::span<const UserRows> users) {
    for (const UserRows& one : users) {
        if (batch.operation == wire::Operation::kRecommend) {
            add(one.user->degraded, wire::Degraded::kModelFailed);
        } else {
            one.user->status = status;
        }
    }
}

bool answers_in_input_order(const RequestState& state) {
    return state.request->operation == wire::Operation::kRank && state.request->order == wire::Order::kInput;
}

}  // namespace

CandidateScoring::CandidateScoring(const ScoreStage& stage, Batch& batch) : stage_(&stage) {
    if (batch.operation == wire::Operation::kRank && !batch.plan.scored_sources.empty()) score_by_sources(batch);
    users_ = batch.arena().allocate<RequestState*>(batch.requests.size());
    size_t count = 0;
    for (RequestState& state : batch.requests) {
        if (!state.is_ok()) continue;
        if (answers_in_input_order(state)) open_input_order(batch, state);
        if (!state.candidates.empty()) users_[count++] = &state;
    }
    users_ = users_.first(count);
}

void CandidateScoring::skip_settled() {
    while (next_ < users_.size() && (!users_[next_]->is_ok() || offset_ == users_[next_]->candidates.size())) {
        ++next_;
        offset_ = 0;
    }
}

void CandidateScoring::step(Batch& batch, size_t max_rows) {
    const size_t limit = std::min(max_rows, stage_->graph->max_run_rows);
    const auto run = batch.arena().allocate<UserRows>(users_.size() - next_);
    size_t users = 0, candidates = 0;
    for (size_t u = next_; u < users_.size() && candidates < limit; ++u) {
        const auto left = users_[u]->candidates.subspan(u == next_ ? offset_ : 0);
        if (users > 0 && candidates + left.size() > limit) break;
        run[users++] = {users_[u], left.first(std::min(left.size(), limit))};
        candidates += run[users - 1].candidates.size();
    }
    score(batch, run.first(users), candidates);
    const UserRows& last = run[users - 1];
    offset_ = (users == 1 ? offset_ : 0) + last.candidates.size();
    next_ += users - 1;
    skip_settled();
}

void CandidateScoring::score(Batch& batch, std::span<const UserRows> users, size_t candidate_count) {
    std::span<float> values;
    const Status status = run_graph(batch, *stage_->graph, stage_->output, {users, candidate_count}, values);
    if (!status.is_ok()) return fail_run(batch, status, users);
    const float* value = values.data();
    for (const UserRows& one : users) {
        for (Candidate& candidate : one.candidates) candidate.score = rankable(*value++);
        if (answers_in_input_order(*one.user)) put_in_input_order(*one.user, one.candidates);
    }
}

}  // namespace rankd::pipeline
