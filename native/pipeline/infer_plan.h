// What `infer` takes and gives: the default graph's tensors with what the manifest says of them, checked against each other.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "pipeline/infer_spec.h"
#include "session/session.h"

namespace rankd::pipeline {

/// An input or output between callers and the graph.
struct InferTensor {
    session::TensorInfo graph;   ///< as the graph has it
    std::vector<int64_t> shape;  ///< as callers see it, -1 = any; the batch dimension in front where requests are batched
    bool is_any_shape = false;   ///< neither graph nor manifest say
    std::optional<std::vector<int64_t>> reshape;  ///< as the graph has it, the batch dimension in front
    bool has_default = false;                     ///< an input that a request may leave out
    std::vector<std::string> labels;              ///< names of an output's classes

    const std::string& name() const { return graph.name; }
};

/// Immutable once the bundle has been opened.
struct InferPlan {
    std::string model;  ///< for messages
    session::Session* session = nullptr;
    std::vector<InferTensor> inputs, outputs;
    uint32_t max_batch_size = 0;  ///< rows of one run; 0 = shapes are the graph's, and a request is a run
    bool is_bound_given = false;  ///< more rows in one request are refused, as whoever gave the bound expects
    bool is_bound_open = false;   ///< the manifest says nothing: what the graph can is to be found out
    bool shares_runs = false;     ///< requests may share a run
    std::string why_not_batched;  ///< where that was decided here

    const InferTensor* input(std::string_view name) const;
    const InferTensor* output(std::string_view name) const;
};

/// "[-1,16]", as the Open Inference Protocol's servers write shapes.
std::string shape_text(std::span<const int64_t> shape);

/// A shape that fits the form `from`, in the form `to`: what is free keeps its order. Itself where it does not fit.
std::span<const int64_t> translated(std::span<const int64_t> shape, std::span<const int64_t> from, std::span<const int64_t> to,
                                    Arena& arena);

/// @param folder  of the bundle; labels lie there or one folder above
/// @return BUNDLE_SIGNATURE_MISMATCH in the words that users of model configurations know, BUNDLE_MISSING_FILE for labels
Result<InferPlan> resolve_infer(const std::string& model, const InferSpec& spec, session::Session& session,
                                const std::filesystem::path& folder);

}  // namespace rankd::pipeline
