#include "graph/factor.h"

#include <algorithm>

#include "graph/split_layers.h"

namespace rankd::graph {
namespace {

/// The nodes that `wanted` needs, in the model's order; what `given` names is there already.
std::vector<Node> needed_nodes(const Model& model, std::set<std::string> wanted, const std::set<std::string>& given) {
    std::vector<Node> nodes;
    for (auto node = model.nodes.rbegin(); node != model.nodes.rend(); ++node) {
        const bool is_needed = std::any_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& output) {
            return wanted.contains(output) && !given.contains(output);
        });
        if (!is_needed) continue;
        wanted.insert(node->inputs.begin(), node->inputs.end());
        nodes.push_back(*node);
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
}

std::vector<Value> inputs_of(const std::vector<Node>& nodes, const Model& model) {
    std::vector<Value> inputs;
    for (const Value& input : model.inputs)
        if (std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
                return std::find(node.inputs.begin(), node.inputs.end(), input.name) != node.inputs.end();
            }))
            inputs.push_back(input);
    return inputs;
}

/// Where the graph leaves the item: results of dense layers over items that something else reads.
std::set<std::string> find_results(const Model& model, std::map<std::string, Tensor>& tensors) {
    std::set<std::string> results;
    for (const Node& node : model.nodes) {
        const bool stays = std::all_of(node.outputs.begin(), node.outputs.end(),
                                       [&](const std::string& output) { return tensors[output].side == Side::kItem; });
        if (stays) continue;
        for (const std::string& input : node.inputs)
            if (tensors[input].side == Side::kItem && tensors[input].is_heavy) results.insert(input);
    }
    return results;
}

std::set<std::string> names_of(const std::vector<Value>& values) {
    std::set<std::string> names;
    for (const Value& value : values) names.insert(value.name);
    return names;
}

}  // namespace

std::optional<Factored> factor_items(Model model, const Inputs& inputs) {
    split_dense_layers(model, inputs);
    auto tensors = find_sides(model, inputs);
    const std::set<std::string> results = find_results(model, tensors);
    const std::set<std::string> outputs = names_of(model.outputs);
    const bool is_output_of_item =
        std::any_of(outputs.begin(), outputs.end(), [&](const std::string& name) { return tensors[name].side == Side::kItem; });
    if (results.empty() || is_output_of_item) return std::nullopt;

    Factored factored;
    std::vector<Value> values;
    for (const std::string& name : results) {
        factored.results.push_back({name, static_cast<uint32_t>(tensors[name].width)});
        values.push_back(make_rows(name, tensors[name].width));
    }
    const auto per_item = needed_nodes(model, results, {});
    const auto item_inputs = inputs_of(per_item, model);
    for (const Value& input : item_inputs) factored.item_inputs.push_back(input.name);
    factored.per_item = write_model(model, per_item, item_inputs, values);

    const auto rest = needed_nodes(model, outputs, results);
    std::vector<Value> rest_inputs = inputs_of(rest, model);
    rest_inputs.insert(rest_inputs.end(), values.begin(), values.end());
    factored.rest = write_model(model, rest, rest_inputs, model.outputs);
    return factored;
}

}  // namespace rankd::graph
