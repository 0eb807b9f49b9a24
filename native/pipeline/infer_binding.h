// A request of `infer` against its plan: every tensor checked and in its place, before anything runs.
#pragma once

#include <cstdint>
#include <span>

#include "base/arena.h"
#include "base/status.h"
#include "pipeline/infer_plan.h"
#include "wire/request.h"

namespace rankd::pipeline {

/// What one request feeds to a run, and wants of it. Spans live in the batch's arena.
struct BoundRequest {
    /// By place in the plan, shaped as the graph has them; one that did not come has type kOther. Data may start anywhere.
    std::span<session::AnyTensor> inputs;
    std::span<uint32_t> outputs;  ///< places in the plan, in the order of the answer
    int64_t rows = 1;             ///< along dimension 0; 1 where requests are not batched
    bool can_share = false;       ///< its run may have other requests' rows too
    uint64_t kind = 0;            ///< hash of all but the rows: requests that share a run have the same
};

/// Whether an input came.
inline bool is_present(const session::AnyTensor& tensor) {
    return tensor.type != ElementType::kOther;
}

/// @return in the words that clients of the Open Inference Protocol know: INVALID_ARGUMENT for names, types and batch sizes,
///         SHAPE_MISMATCH for shapes and byte sizes
Status bind_request(const InferPlan& plan, const wire::Request& request, Arena& arena, BoundRequest& bound);

/// Whether two requests differ in nothing but their rows and values.
bool agree(const BoundRequest& a, const BoundRequest& b);

}  // namespace rankd::pipeline
