// infer: a bundle's default graph on the caller's own tensors, whatever the graph is.
#pragma once

#include <span>

#include "base/arena.h"
#include "pipeline/batch.h"
#include "pipeline/plan.h"

namespace rankd::pipeline {

/// Runs the graph once per request; outputs are copied into `arena`. A request fails alone: INVALID_ARGUMENT for a name or type
/// the graph does not have, SHAPE_MISMATCH, MODEL_FAILED.
void run_infer(const Graph& graph, Arena& arena, std::span<RequestState> requests);

}  // namespace rankd::pipeline
