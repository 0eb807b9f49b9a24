#include "graph/sides.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rankd::graph {
namespace {

/// Of each element its own function.
constexpr std::array<std::string_view, 17> kUnary = {"Abs",       "Elu",      "Erf",       "Exp",  "Gelu", "HardSigmoid",
                                                     "HardSwish", "Identity", "LeakyRelu", "Log",  "Neg",  "Relu",
                                                     "Selu",      "Sigmoid",  "Softplus",  "Sqrt", "Tanh"};
constexpr std::array<std::string_view, 6> kBinary = {"Add", "Sub", "Mul", "Div", "Max", "Min"};

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

const Weight* weight_of(const Model& model, const std::string& name) {
    const auto found = model.weights.find(name);
    return found == model.weights.end() ? nullptr : &found->second;
}

/// No table has wider rows; sums of widths stay far from overflow.
constexpr int64_t kWidest = 1 << 20;

/// Added to each row alike, whatever the number of rows.
bool is_same_for_rows(const Weight& weight) {
    return weight.dims.size() <= 1 || (weight.dims.size() == 2 && weight.dims[0] == 1);
}

class Finder {
  public:
    Finder(const Model& model, const Inputs& inputs) : model_(model), inputs_(inputs) {
        for (const auto& [name, weight] : model.weights) tensors_[name] = {Side::kConstant, 0, false};
        for (const Value& input : model.inputs) tensors_[input.name] = of_input(input);
    }

    std::map<std::string, Tensor> find() {
        for (const Node& node : model_.nodes) {
            const Tensor made = node.outputs.size() == 1 && node.domain.empty() ? of_node(node) : Tensor{};
            for (const std::string& output : node.outputs) tensors_[output] = made;
        }
        return std::move(tensors_);
    }

  private:
    Tensor of_input(const Value& input) const {
        const bool is_rows = input.is_float && input.dims.size() == 2 && input.dims[1] > 0 && input.dims[1] <= kWidest;
        const int64_t width = is_rows ? input.dims[1] : 0;
        if (is_rows && inputs_.user.contains(input.name)) return {Side::kUser, width, false};
        if (is_rows && inputs_.item.contains(input.name)) return {Side::kItem, width, false};
        return {Side::kPair, width, false};
    }

    const Tensor& at(const std::string& name) { return tensors_[name]; }

    Tensor of_node(const Node& node) {
        if (node.op == "Gather") return of_gather(node);
        if (is_row_concat(node)) return of_concat(node);
        if (const auto dense = as_dense(node, model_)) {
            const Tensor& rows = at(node.inputs[0]);
            if (rows.width != dense->inner) return {};
            return {rows.side, dense->outer, true};
        }
        if (is_one_of(kUnary, node.op) && node.inputs.size() == 1) return at(node.inputs[0]);
        if (is_one_of(kBinary, node.op) && node.inputs.size() == 2) return of_binary(node);
        return {};
    }

    Tensor of_gather(const Node& node) {
        const Tensor& rows = at(node.inputs[0]);
        const bool is_by_user = rows.side == Side::kUser && node.inputs.size() == 2 && !inputs_.row_user.empty() &&
                                node.inputs[1] == inputs_.row_user && node.integer_or("axis", 0) == 0;
        return is_by_user ? Tensor{Side::kGathered, rows.width, rows.is_heavy} : Tensor{};
    }

    Tensor of_concat(const Node& node) {
        Tensor made = at(node.inputs[0]);
        made.width = 0;
        for (const std::string& input : node.inputs) {
            const Tensor& part = at(input);
            if (part.width == 0) return {};
            made = {joined(made.side, part.side), made.width + part.width, made.is_heavy || part.is_heavy};
        }
        return made;
    }

    Tensor of_binary(const Node& node) {
        const Tensor &a = at(node.inputs[0]), &b = at(node.inputs[1]);
        const bool is_a_constant = a.side == Side::kConstant, is_b_constant = b.side == Side::kConstant;
        if (is_a_constant || is_b_constant) {
            const Weight* constant = weight_of(model_, node.inputs[is_a_constant ? 0 : 1]);
            const Tensor& rows = is_a_constant ? b : a;
            const bool fits = constant != nullptr && rows.width > 0 && is_same_for_rows(*constant) &&
                              (constant->dims.empty() || constant->dims.back() == 1 || constant->dims.back() == rows.width);
            return fits ? rows : Tensor{};
        }
        if (a.width == 0 || b.width == 0) return {};
        if (a.width != b.width && a.width != 1 && b.width != 1) return {};
        return {joined(a.side, b.side), std::max(a.width, b.width), a.is_heavy || b.is_heavy};
    }

    static Side joined(Side a, Side b) { return a == b ? a : Side::kPair; }

    const Model& model_;
    const Inputs& inputs_;
    std::map<std::string, Tensor> tensors_;
};

}  // namespace

std::map<std::string, Tensor> find_sides(const Model& model, const Inputs& inputs) {
    return Finder(model, inputs).find();
}

bool is_row_concat(const Node& node) {
    const int64_t axis = node.integer_or("axis", 0);
    return node.op == "Concat" && node.domain.empty() && (axis == 1 || axis == -1) && !node.inputs.empty();
}

std::optional<Dense> as_dense(const Node& node, const Model& model) {
    const bool is_gemm = node.op == "Gemm";
    if (!node.domain.empty() || (!is_gemm && node.op != "MatMul") || node.inputs.size() < 2) return std::nullopt;
    const Weight* weight = weight_of(model, node.inputs[1]);
    if (weight == nullptr || !weight->is_float || weight->dims.size() != 2) return std::nullopt;
    Dense dense;
    if (is_gemm) {
        if (node.integer_or("transA", 0) != 0 || node.float_or("alpha", 1) != 1 || node.float_or("beta", 1) != 1)
            return std::nullopt;
        dense.is_transposed = node.integer_or("transB", 0) != 0;
        if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
            const Weight* bias = weight_of(model, node.inputs[2]);
            if (bias == nullptr || !is_same_for_rows(*bias)) return std::nullopt;
            dense.bias = node.inputs[2];
        }
    }
    dense.inner = weight->dims[dense.is_transposed ? 1 : 0];
    dense.outer = weight->dims[dense.is_transposed ? 0 : 1];
    return dense;
}

}  // namespace rankd::graph
