// Whether requests may share a graph's runs: found out at load, by running made-up rows alone and together.
#pragma once

#include <string>

#include "pipeline/infer_plan.h"

namespace rankd::pipeline {

/// A graph mixes no rows when its tensors all have a free first dimension, and a row's outputs are the same whether it runs alone
/// or with others. A softmax over dimension 0, a mean over the batch, or an index into another input are found out; what fails
/// with every kind of made-up value is not trusted either. Takes a few runs of the graph.
/// @return empty when requests may share runs, else why they may not
std::string why_not_batched(const InferPlan& plan);

/// For a manifest that does not say: sets the plan's bound, or why there is none.
void decide_batching(InferPlan& plan, const InferSpec& spec);

}  // namespace rankd::pipeline
