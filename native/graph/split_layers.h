// Dense layers over user and item side by side, as sums of layers over one of them.
#pragma once

#include "graph/onnx_model.h"
#include "graph/sides.h"

namespace rankd::graph {

/// Rewrites every such layer in place.
void split_dense_layers(Model& model, const Inputs& inputs);

}  // namespace rankd::graph
