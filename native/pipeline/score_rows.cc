// score, of rows: what callers send is what the graph reads; a row with a threshold's score gets its decision.
#include <algorithm>

#include "pipeline/score_run.h"

namespace rankd::pipeline {
namespace {

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

std::string_view decision_of(std::span<const ThresholdSpec> thresholds, float score) {
    return std::find_if(thresholds.begin(), thresholds.end(),
                        [&](const ThresholdSpec& threshold) { return !threshold.below || score < *threshold.below; })
        ->decision;
}

}  // namespace

RowScoring::RowScoring(const ScoreStage& stage, Batch& batch) : stage_(&stage) {
    const GraphInput& input = *stage.graph->rows_input();
    counts_ = batch.arena().allocate<size_t>(batch.requests.size());
    size_t total = 0;
    for (size_t r = 0; r < batch.requests.size(); ++r) {
        RequestState& state = batch.requests[r];
        counts_[r] = 0;
        if (!state.is_ok()) continue;
        state.status = count_rows(batch, *state.request, input, counts_[r]);
        if (!state.is_ok()) counts_[r] = 0;
        total += counts_[r];
    }
    rows_ = batch.arena().allocate<float>(total * input.width);
    scores_ = batch.arena().allocate<float>(total);
    const bool decides = !batch.bundle.manifest().thresholds.empty();
    const auto decisions = batch.arena().allocate<std::string_view>(decides ? total : 0);
    size_t first = 0;
    for (size_t r = 0; r < batch.requests.size(); ++r) {
        if (counts_[r] == 0) continue;
        RequestState& state = batch.requests[r];
        copy_rows(*state.request, input, rows_.data() + first * input.width);
        state.scores = scores_.subspan(first, counts_[r]);
        if (decides) state.decisions = decisions.subspan(first, counts_[r]);
        first += counts_[r];
    }
}

void RowScoring::step(Batch& batch, size_t max_rows) {
    const size_t width = stage_->graph->rows_input()->width;
    const size_t count = std::min({max_rows, stage_->graph->max_run_rows, scores_.size() - first_});
    std::span<float> values;
    const Status status =
        run_rows(batch, *stage_->graph, stage_->output, rows_.subspan(first_ * width, count * width), count, values);
    if (status.is_ok()) std::copy(values.begin(), values.end(), scores_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = status.is_ok() ? first_ + count : scores_.size();
    tell(batch, status);
}

/// What the requests may know by now: how many of their scores stand, and what follows from them.
void RowScoring::tell(Batch& batch, const Status& status) {
    const std::span<const ThresholdSpec> thresholds = batch.bundle.manifest().thresholds;
    size_t first = 0;
    for (size_t r = 0; r < batch.requests.size(); first += counts_[r++]) {
        RequestState& state = batch.requests[r];
        if (!state.is_ok() || counts_[r] == 0) continue;
        state.status = status;
        const size_t ready = std::clamp(first_, first, first + counts_[r]) - first;
        for (; state.scores_ready < ready; ++state.scores_ready)
            if (!thresholds.empty())
                state.decisions[state.scores_ready] = decision_of(thresholds, state.scores[state.scores_ready]);
    }
}

}  // namespace rankd::pipeline
