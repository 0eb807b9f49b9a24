// One gather per input: a slab [U or N, width] that the graph reads in place.
#include "pipeline/graph_inputs.h"

#include <algorithm>

#include "pipeline/item_side.h"

namespace rankd::pipeline {
namespace {

using session::Tensor;

std::span<const uint32_t> newest_of(std::span<const uint32_t> history, const InputSpec& spec) {
    const size_t count = std::min<size_t>(history.size(), spec.newest.value_or(UINT32_MAX));
    return history.last(count);
}

void fill_features(wire::FeatureMap features, const InputSpec& spec, float* out) {
    std::copy(spec.defaults.begin(), spec.defaults.end(), out);
    for (const wire::NamedNumber& feature : features)
        for (size_t i = 0; i < spec.names.size(); ++i)
            if (spec.names[i] == feature.name) out[i] = feature.value;
}

/// [U, width]: one row per user.
std::span<float> user_rows(Batch& batch, const GraphInput& input, const RunRows& rows) {
    const size_t width = input.width;
    const auto out = batch.arena().allocate<float>(rows.users.size() * width);
    if (input.spec->from == From::kUser) {
        const auto indices = batch.arena().allocate<uint32_t>(rows.users.size());
        std::transform(rows.users.begin(), rows.users.end(), indices.begin(),
                       [](const UserRows& one) { return one.user->user_row; });
        input.column->gather(indices, out.data(), width);
        return out;
    }
    for (size_t u = 0; u < rows.users.size(); ++u) {
        const RequestState& user = *rows.users[u].user;
        float* row = out.data() + u * width;
        switch (input.spec->from) {
            case From::kHistory:
                batch.items.pool(*input.column, newest_of(user.history, *input.spec), input.spec->pool, row);
                break;
            case From::kHistoryCount:
                row[0] = static_cast<float>(user.history.size());
                break;
            case From::kFeatures:
                fill_features(user.request->features, *input.spec, row);
                break;
            default:
                fill_features(user.request->context, *input.spec, row);
                break;
        }
    }
    return out;
}

std::span<float> repeat_for_candidates(Batch& batch, std::span<const float> values, size_t width, const RunRows& rows) {
    const auto out = batch.arena().allocate<float>(rows.candidate_count * width);
    float* to = out.data();
    for (size_t u = 0; u < rows.users.size(); ++u)
        for (size_t c = 0; c < rows.users[u].candidates.size(); ++c, to += width)
            std::copy_n(values.data() + u * width, width, to);
    return out;
}

Status item_rows(Batch& batch, const Graph& graph, const GraphInput& input, const RunRows& rows, std::span<float>& values) {
    const auto indices = batch.arena().allocate<uint32_t>(rows.candidate_count);
    size_t n = 0;
    for (const UserRows& one : rows.users)
        for (const Candidate& candidate : one.candidates) indices[n++] = candidate.row;
    values = batch.arena().allocate<float>(rows.candidate_count * input.width);
    if (input.item_result) return graph.item_side->gather(*input.item_result, batch.items, indices, values.data());
    batch.items.gather(*input.column, indices, values.data());
    return Status::ok();
}

std::span<float> candidate_features(Batch& batch, const GraphInput& input, const RunRows& rows) {
    const auto out = batch.arena().allocate<float>(rows.candidate_count * input.width);
    float* to = out.data();
    for (const UserRows& one : rows.users) {
        const auto features = one.user->request->candidate_features;
        for (const Candidate& candidate : one.candidates) {
            fill_features(features.empty() ? wire::FeatureMap{} : features[candidate.position], *input.spec, to);
            to += input.width;
        }
    }
    return out;
}

std::span<float> source_scores(Batch& batch, const GraphInput& input, const RunRows& rows) {
    const auto& scored = batch.plan.scored_sources;
    const auto out = batch.arena().allocate<float>(rows.candidate_count * input.width);
    for (size_t i = 0; i < input.sources.size(); ++i) {
        const auto place = static_cast<size_t>(std::find(scored.begin(), scored.end(), input.sources[i]) - scored.begin());
        float* to = out.data() + i;
        for (const UserRows& one : rows.users)
            for (const Candidate& candidate : one.candidates) {
                *to = one.user->source_scores[candidate.position * scored.size() + place];
                to += input.width;
            }
    }
    return out;
}

template <typename Integer>
Tensor row_user(Batch& batch, const GraphInput& input, const RunRows& rows) {
    const auto out = batch.arena().allocate<Integer>(rows.candidate_count);
    size_t n = 0;
    for (size_t u = 0; u < rows.users.size(); ++u)
        for (size_t c = 0; c < rows.users[u].candidates.size(); ++c) out[n++] = static_cast<Integer>(u);
    return {out.data(), input.type, input.rank, {static_cast<int64_t>(rows.candidate_count), 1}};
}

Tensor tensor_of(const GraphInput& input, std::span<float> values) {
    return {values.data(), ElementType::kF32, input.rank, {static_cast<int64_t>(values.size() / input.width), input.width}};
}

Status build_input(Batch& batch, const Graph& graph, const GraphInput& input, const RunRows& rows, Tensor& tensor) {
    std::span<float> values;
    switch (input.spec->from) {
        case From::kRowUser:
            tensor =
                input.type == ElementType::kI32 ? row_user<int32_t>(batch, input, rows) : row_user<int64_t>(batch, input, rows);
            return Status::ok();
        case From::kItem:
            RANKD_RETURN_IF_ERROR(item_rows(batch, graph, input, rows, values));
            break;
        case From::kCandidateFeatures:
            values = candidate_features(batch, input, rows);
            break;
        case From::kSources:
            values = source_scores(batch, input, rows);
            break;
        default:
            values = user_rows(batch, input, rows);
            if (graph.level == Level::kCandidate && !graph.has_row_user)
                values = repeat_for_candidates(batch, values, input.width, rows);
            break;
    }
    tensor = tensor_of(input, values);
    return Status::ok();
}

Status run_session(Batch& batch, const Graph& graph, uint32_t output, std::span<const Tensor> inputs, size_t row_count,
                   std::span<float>& values) {
    const GraphOutput& wanted = graph.outputs[output];
    values = batch.arena().allocate<float>(row_count * wanted.width);
    const char* const name = wanted.name.c_str();
    const Tensor target{values.data(), ElementType::kF32, wanted.rank, {static_cast<int64_t>(row_count), wanted.width}};
    const Status status = graph.serving_session().run(inputs, {&name, 1}, {&target, 1});
    return status.is_ok() ? status : status.within("graph \"" + graph.spec->name + "\"");
}

}  // namespace

Status run_graph(Batch& batch, const Graph& graph, uint32_t output, const RunRows& rows, std::span<float>& values) {
    const auto inputs = batch.arena().allocate<Tensor>(graph.serving_inputs().size());
    for (size_t i = 0; i < inputs.size(); ++i)
        RANKD_RETURN_IF_ERROR(build_input(batch, graph, graph.serving_inputs()[i], rows, inputs[i]));
    const size_t row_count = graph.level == Level::kUser ? rows.users.size() : rows.candidate_count;
    return run_session(batch, graph, output, inputs, row_count, values);
}

Status run_rows(Batch& batch, const Graph& graph, uint32_t output, std::span<float> rows, size_t row_count,
                std::span<float>& values) {
    const Tensor input = tensor_of(graph.inputs[0], rows);
    return run_session(batch, graph, output, {&input, 1}, row_count, values);
}

}  // namespace rankd::pipeline
