// What each tensor of a ranking graph depends on: its user alone, its item alone, or both.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "graph/onnx_model.h"

namespace rankd::graph {

/// Which of the graph's inputs are whose. Inputs named in neither set belong to the pair.
struct Inputs {
    std::set<std::string> user;  ///< [U, width]
    std::set<std::string> item;  ///< [N, width]
    std::string row_user;        ///< [N]; empty when the graph has none
};

enum class Side : uint8_t {
    kConstant,
    kUser,      ///< a row per user
    kGathered,  ///< a row per candidate, copied from its user's row by `row_user`
    kItem,      ///< a row per candidate, the same for every user
    kPair,      ///< anything else
};

struct Tensor {
    Side side = Side::kPair;
    int64_t width = 0;      ///< values per row; 0 when it is not known to be a matrix of rows
    bool is_heavy = false;  ///< a matrix product is among what it was made by
};

/// Every tensor of the model. A tensor has a side other than kPair only if each of its rows depends on nothing but the same row
/// of its inputs and constants.
std::map<std::string, Tensor> find_sides(const Model& model, const Inputs& inputs);

/// A dense layer over rows: `inputs[0]` [rows, K] times a constant [K, M], perhaps plus a constant row.
struct Dense {
    bool is_transposed = false;  ///< the constant is stored as [M, K]
    int64_t inner = 0, outer = 0;
    std::string bias;  ///< empty without
};
std::optional<Dense> as_dense(const Node& node, const Model& model);
/// Concatenation of rows side by side.
bool is_row_concat(const Node& node);

}  // namespace rankd::graph
