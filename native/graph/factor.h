// A ranking graph in two: what depends on the item alone, computed once per item, and the rest, computed once per pair.
//
// [user; item] W = user W_u + item W_i: a dense layer over user and item side by side is a sum of two layers, of which the first
// needs a run per user and the second one per item and not per request. The sums are taken in another order, so that scores
// differ in the last bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/onnx_model.h"
#include "graph/sides.h"

namespace rankd::graph {

struct ItemResult {
    std::string name;  ///< an output of `per_item`, an input of `rest`
    uint32_t width = 0;
};

struct Factored {
    std::string per_item;  ///< ONNX: item inputs to item results, row by row
    std::string rest;      ///< ONNX: the inputs that are left and the item results to the outputs of the whole
    std::vector<std::string> item_inputs;
    std::vector<ItemResult> results;
};

/// @return nothing when no dense layer depends on the item alone
std::optional<Factored> factor_items(Model model, const Inputs& inputs);

}  // namespace rankd::graph
