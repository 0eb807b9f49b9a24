#include "graph/split_layers.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rankd::graph {
namespace {

/// The parts of one side: their tensors, and the rows of the layer's weights that meet them.
struct Part {
    std::vector<std::string> tensors;
    std::vector<float> weights;  ///< [rows, outer]
    bool is_empty() const { return tensors.empty(); }
};

class Splitter {
  public:
    Splitter(Model& model, const Inputs& inputs) : model_(model), inputs_(inputs), tensors_(find_sides(model, inputs)) {
        for (const Node& node : model.nodes) {
            for (const std::string& output : node.outputs) makers_[output] = &node;
            for (const std::string& input : node.inputs) ++readers_[input];
        }
        for (const Value& output : model.outputs) ++readers_[output.name];
    }

    void run() {
        std::vector<Node> nodes;
        for (const Node& node : model_.nodes)
            if (!split(node, nodes)) nodes.push_back(node);
        model_.nodes = std::move(nodes);
        for (auto& [name, weight] : added_) model_.weights.emplace(name, std::move(weight));
    }

  private:
    /// Whether the layer was replaced, by nodes that now end `out`.
    bool split(const Node& node, std::vector<Node>& out) {
        const auto dense = as_dense(node, model_);
        if (!dense || model_.weights.at(node.inputs[1]).floats.empty()) return false;
        for (const char* side : {"/user", "/item", "/pair"})
            if (tensors_.contains(node.outputs[0] + side)) return false;
        const auto concat = makers_.find(node.inputs[0]);
        if (concat == makers_.end() || !is_row_concat(*concat->second) || readers_[node.inputs[0]] != 1) return false;
        Part user, item, pair;
        if (!sort_parts(*concat->second, *dense, node.inputs[1], user, item, pair)) return false;
        if (static_cast<int>(user.is_empty()) + item.is_empty() + pair.is_empty() == 2) return false;
        if (user.is_empty() && item.is_empty()) return false;

        // The bias is added where it is added least often.
        std::string bias = dense->bias;
        std::vector<std::string> terms;
        if (!user.is_empty()) {
            const std::string rows = add_layer(user, "user", node, *dense, std::exchange(bias, {}), out);
            const std::string gathered = node.outputs[0] + "/user_of_row";
            out.push_back(make_node("Gather", {rows, inputs_.row_user}, {gathered}, {{"axis", 0}}));
            terms.push_back(gathered);
        }
        if (!item.is_empty()) terms.push_back(add_layer(item, "item", node, *dense, std::exchange(bias, {}), out));
        if (!pair.is_empty()) terms.push_back(add_layer(pair, "pair", node, *dense, std::exchange(bias, {}), out));
        add_sum(terms, node.outputs[0], out);
        return true;
    }

    bool sort_parts(const Node& concat, const Dense& dense, const std::string& weight_name, Part& user, Part& item, Part& pair) {
        int64_t first = 0;
        for (const std::string& name : concat.inputs) {
            const Tensor& tensor = tensors_[name];
            if (tensor.width == 0 || first + tensor.width > dense.inner) return false;
            const auto maker = makers_.find(name);
            const bool is_gather = maker != makers_.end() && maker->second->op == "Gather" && tensor.side == Side::kGathered;
            Part& part = is_gather ? user : tensor.side == Side::kItem ? item : pair;
            // A gathered row is computed with before it is copied.
            part.tensors.push_back(is_gather ? maker->second->inputs[0] : name);
            append_rows(weight_name, dense, first, tensor.width, part.weights);
            first += tensor.width;
        }
        return first == dense.inner;
    }

    void append_rows(const std::string& weight_name, const Dense& dense, int64_t first, int64_t count, std::vector<float>& out) {
        const Weight& weight = model_.weights.at(weight_name);
        for (int64_t row = first; row < first + count; ++row)
            for (int64_t column = 0; column < dense.outer; ++column) {
                const int64_t place = dense.is_transposed ? column * dense.inner + row : row * dense.outer + column;
                float value;
                std::memcpy(&value, weight.floats.data() + static_cast<size_t>(place) * sizeof(float), sizeof(float));
                out.push_back(value);
            }
    }

    /// @return the layer's result
    std::string add_layer(const Part& part, const std::string& side, const Node& node, const Dense& dense,
                          const std::string& bias, std::vector<Node>& out) {
        const std::string base = node.outputs[0] + "/" + side;
        std::string rows = part.tensors[0];
        if (part.tensors.size() > 1) {
            rows = base + "_parts";
            out.push_back(make_node("Concat", part.tensors, {rows}, {{"axis", 1}}));
        }
        const auto inner = static_cast<int64_t>(part.weights.size()) / dense.outer;
        added_.emplace(base + "_weight", make_weight(base + "_weight", part.weights, inner, dense.outer));
        if (bias.empty()) {
            out.push_back(make_node("MatMul", {rows, base + "_weight"}, {base}));
        } else {
            out.push_back(make_node("Gemm", {rows, base + "_weight", bias}, {base}));
        }
        return base;
    }

    void add_sum(const std::vector<std::string>& terms, const std::string& result, std::vector<Node>& out) {
        std::string sum = terms[0];
        for (size_t i = 1; i < terms.size(); ++i) {
            const std::string next = i + 1 == terms.size() ? result : result + "/sum_" + std::to_string(i);
            out.push_back(make_node("Add", {sum, terms[i]}, {next}));
            sum = next;
        }
    }

    Model& model_;
    const Inputs& inputs_;
    std::map<std::string, Tensor> tensors_;
    std::map<std::string, const Node*> makers_;
    std::map<std::string, int> readers_;
    std::map<std::string, Weight> added_;
};

}  // namespace

void split_dense_layers(Model& model, const Inputs& inputs) {
    Splitter(model, inputs).run();
}

}  // namespace rankd::graph
