// score: one graph over all candidates of all requests of a batch, in runs that fit the caches.
#include <algorithm>
#include <cmath>
#include <limits>

#include "pipeline/graph_inputs.h"
#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

/// A score that is not a number ranks last instead of anywhere.
float rankable(float score) {
    return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
}

/// A ranking failure costs `recommend` its order, not its answer; `rank` has nothing else to give.
void fail_run(const Batch& batch, const Status& status, std::span<RequestState* const> users) {
    for (RequestState* user : users) {
        if (batch.operation == wire::Operation::kRecommend) {
            add(user->degraded, wire::Degraded::kModelFailed);
        } else {
            user->status = status;
        }
    }
}

void score_users(Batch& batch, const ScoreStage& stage, std::span<RequestState* const> users, size_t candidate_count) {
    std::span<float> values;
    const Status status = run_graph(batch, *stage.graph, stage.output, {users, candidate_count}, values);
    if (!status.is_ok()) return fail_run(batch, status, users);
    const float* value = values.data();
    for (RequestState* user : users)
        for (Candidate& candidate : user->candidates) candidate.score = rankable(*value++);
}

void score_candidates(const ScoreStage& stage, Batch& batch) {
    if (batch.operation == wire::Operation::kRank && !batch.plan.scored_sources.empty()) score_by_sources(batch);
    const auto users = batch.arena().allocate<RequestState*>(batch.requests.size());
    size_t first = 0, end = 0, candidates = 0;
    const auto run = [&] {
        if (candidates > 0) score_users(batch, stage, users.subspan(first, end - first), candidates);
        first = end;
        candidates = 0;
    };
    for (RequestState& state : batch.requests) {
        if (!state.is_ok() || state.candidates.empty()) continue;
        if (candidates + state.candidates.size() > stage.graph->max_run_rows) run();
        users[end++] = &state;
        candidates += state.candidates.size();
    }
    run();
}

Status check_row_names(const wire::Request& request, const InputSpec& spec) {
    for (const wire::FeatureMap& row : request.row_maps)
        for (const wire::NamedNumber& feature : row)
            if (std::find(spec.names.begin(), spec.names.end(), feature.name) == spec.names.end())
                return {Code::INVALID_ARGUMENT, "rows: this model reads no \"" + std::string(feature.name) + "\"; its " +
                                                    std::to_string(spec.names.size()) + " features begin with \"" +
                                                    spec.names[0] + "\""};
    return Status::ok();
}

/// How many rows a request carries, or SHAPE_MISMATCH.
Status count_rows(const Batch& batch, const wire::Request& request, const GraphInput& input, size_t& rows) {
    const size_t width = input.width;
    const auto expected = [&](size_t count) {
        const size_t likely = std::max<size_t>(1, (count + width / 2) / width);
        return "expected " + std::to_string(likely * width) + " floats (" + std::to_string(likely) + " rows x " +
               std::to_string(width) + ") for \"" + batch.bundle.manifest().name + "\", got ";
    };
    if (!request.row_bytes.empty()) {
        const size_t bytes = request.row_bytes.size(), floats = bytes / sizeof(float);
        if (bytes % sizeof(float) != 0)
            return {Code::SHAPE_MISMATCH, "rows: " + expected(floats) + std::to_string(bytes) + " bytes"};
        if (floats % width != 0) return {Code::SHAPE_MISMATCH, "rows: " + expected(floats) + std::to_string(floats)};
        rows = floats / width;
        return Status::ok();
    }
    rows = request.row_count;
    if (!request.row_values.empty() && request.row_width != width)
        return {Code::SHAPE_MISMATCH, "rows: " + expected(width * rows) + "rows of " + std::to_string(request.row_width)};
    return check_row_names(request, *input.spec);
}

void copy_rows(const wire::Request& request, const GraphInput& input, float* out) {
    if (!request.row_bytes.empty()) {
        std::memcpy(out, request.row_bytes.data(), request.row_bytes.size());
    } else if (!request.row_values.empty()) {
        std::copy(request.row_values.begin(), request.row_values.end(), out);
    } else {
        for (const wire::FeatureMap& row : request.row_maps) {
            std::copy(input.spec->defaults.begin(), input.spec->defaults.end(), out);
            for (const wire::NamedNumber& feature : row) {
                const auto found = std::find(input.spec->names.begin(), input.spec->names.end(), feature.name);
                out[found - input.spec->names.begin()] = feature.value;
            }
            out += input.width;
        }
    }
}

std::span<const std::string_view> decide(Batch& batch, std::span<const float> scores) {
    const auto& thresholds = batch.bundle.manifest().thresholds;
    if (thresholds.empty()) return {};
    const auto decisions = batch.arena().allocate<std::string_view>(scores.size());
    for (size_t i = 0; i < scores.size(); ++i)
        decisions[i] = std::find_if(thresholds.begin(), thresholds.end(), [&](const ThresholdSpec& threshold) {
                           return !threshold.below || scores[i] < *threshold.below;
                       })->decision;
    return decisions;
}

void score_rows(const ScoreStage& stage, Batch& batch) {
    const GraphInput& input = *stage.graph->rows_input();
    const auto counts = batch.arena().allocate<size_t>(batch.requests.size());
    size_t total = 0;
    for (size_t r = 0; r < batch.requests.size(); ++r) {
        RequestState& state = batch.requests[r];
        counts[r] = 0;
        if (!state.is_ok()) continue;
        state.status = count_rows(batch, *state.request, input, counts[r]);
        if (!state.is_ok()) counts[r] = 0;
        total += counts[r];
    }
    const auto rows = batch.arena().allocate<float>(total * input.width);
    float* to = rows.data();
    for (size_t r = 0; r < batch.requests.size(); ++r) {
        if (counts[r] == 0) continue;
        copy_rows(*batch.requests[r].request, input, to);
        to += counts[r] * input.width;
    }
    const auto scores = batch.arena().allocate<float>(total);
    Status status;
    for (size_t first = 0; first < total && status.is_ok(); first += stage.graph->max_run_rows) {
        const size_t count = std::min(stage.graph->max_run_rows, total - first);
        std::span<float> values;
        status =
            run_rows(batch, *stage.graph, stage.output, rows.subspan(first * input.width, count * input.width), count, values);
        if (status.is_ok()) std::copy(values.begin(), values.end(), scores.begin() + static_cast<ptrdiff_t>(first));
    }
    size_t first = 0;
    for (size_t r = 0; r < batch.requests.size(); ++r) {
        RequestState& state = batch.requests[r];
        if (!state.is_ok()) continue;
        state.status = status;
        state.scores = scores.subspan(first, counts[r]);
        state.decisions = decide(batch, state.scores);
        first += counts[r];
    }
}

}  // namespace

void run_stage(const ScoreStage& stage, Batch& batch) {
    if (stage.graph->level == Level::kRow) {
        score_rows(stage, batch);
    } else {
        score_candidates(stage, batch);
    }
}

}  // namespace rankd::pipeline
