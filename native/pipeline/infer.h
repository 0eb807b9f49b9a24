// infer: a bundle's default graph on the callers' own tensors, whatever the graph is; requests that agree share its runs.
#pragma once

#include "base/clock.h"
#include "pipeline/batch.h"
#include "pipeline/infer_plan.h"

namespace rankd::pipeline {

/// Answers the requests of the batch that have neither failed nor an answer yet, and are not held. Requests that differ in
/// nothing but their rows and values run together, up to the plan's bound; when such a run fails, each of them runs alone, so
/// that nobody fails for another. Their outputs are views into `scratch.infer_outputs`. Requests fail as INVALID_ARGUMENT,
/// SHAPE_MISMATCH (see infer_binding.h), or MODEL_FAILED with the runtime's words.
void run_infer(const InferPlan& plan, Scratch& scratch, const Clock& clock);

}  // namespace rankd::pipeline
