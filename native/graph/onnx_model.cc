// Field numbers are those of onnx.proto.
#include "graph/onnx_model.h"

#include <bit>
#include <set>

namespace rankd::graph {
namespace {

constexpr uint32_t kModelGraph = 7, kModelFunctions = 25;
constexpr uint32_t kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12, kGraphSparse = 15;
constexpr uint32_t kNodeInput = 1, kNodeOutput = 2, kNodeOp = 4, kNodeAttribute = 5, kNodeDomain = 7;
constexpr uint32_t kAttributeName = 1, kAttributeFloat = 2, kAttributeInteger = 3, kAttributeType = 20;
constexpr uint64_t kTypeFloat = 1, kTypeInteger = 2;
constexpr uint32_t kTensorDims = 1, kTensorType = 2, kTensorFloats = 4, kTensorName = 8, kTensorRaw = 9, kTensorLocation = 14;
constexpr uint64_t kFloat32 = 1;

std::string owned(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool read_attribute(Bytes bytes, Node& node) {
    ProtoReader reader(bytes);
    ProtoField field;
    std::string name;
    uint64_t type = 0, integer = 0;
    float number = 0;
    while (reader.next(field)) {
        if (field.number == kAttributeName) name = field.text();
        if (field.number == kAttributeType) type = field.integer;
        if (field.number == kAttributeInteger) integer = field.integer;
        if (field.number == kAttributeFloat) number = std::bit_cast<float>(static_cast<uint32_t>(field.integer));
    }
    if (type == kTypeInteger) {
        node.integers[name] = static_cast<int64_t>(integer);
    } else if (type == kTypeFloat) {
        node.floats[name] = number;
    } else {
        node.is_plain = false;
    }
    // Graphs inside a node read tensors of this one without naming them among its inputs.
    constexpr uint64_t kTypeGraph = 5, kTypeGraphs = 10;
    return !reader.is_malformed() && type != kTypeGraph && type != kTypeGraphs;
}

bool read_node(Bytes bytes, Node& node) {
    ProtoReader reader(bytes);
    ProtoField field;
    node.bytes = owned(bytes);
    while (reader.next(field)) {
        if (field.number == kNodeInput) node.inputs.emplace_back(field.text());
        if (field.number == kNodeOutput) node.outputs.emplace_back(field.text());
        if (field.number == kNodeOp) node.op = field.text();
        if (field.number == kNodeDomain) node.domain = field.text();
        if (field.number == kNodeAttribute && !read_attribute(field.bytes, node)) return false;
    }
    return !reader.is_malformed() && !node.op.empty() && !node.outputs.empty();
}

/// A repeated integer, packed or one by one.
bool read_integers(const ProtoField& field, std::vector<int64_t>& out) {
    if (field.wire_type != kLengthDelimited) {
        out.push_back(static_cast<int64_t>(field.integer));
        return true;
    }
    ProtoReader packed(field.bytes);
    while (!packed.at_end()) {
        uint64_t value = 0;
        if (!packed.read_varint(value)) return false;
        out.push_back(static_cast<int64_t>(value));
    }
    return true;
}

bool read_weight(Bytes bytes, std::string& name, Weight& weight) {
    ProtoReader reader(bytes);
    ProtoField field;
    weight.bytes = owned(bytes);
    while (reader.next(field)) {
        if (field.number == kTensorDims && !read_integers(field, weight.dims)) return false;
        if (field.number == kTensorType) weight.is_float = field.integer == kFloat32;
        if (field.number == kTensorName) name = field.text();
        if (field.number == kTensorRaw || (field.number == kTensorFloats && field.wire_type == kLengthDelimited))
            weight.floats = field.bytes;
        if (field.number == kTensorLocation && field.integer != 0) return false;
    }
    uint64_t bytes_wanted = sizeof(float);
    for (const int64_t size : weight.dims) {
        if (size < 0 || static_cast<uint64_t>(size) > (uint64_t{1} << 40) / bytes_wanted) return false;
        bytes_wanted *= static_cast<uint64_t>(size == 0 ? 1 : size);
    }
    if (!weight.is_float || weight.floats.size() != bytes_wanted) weight.floats = {};
    return !reader.is_malformed() && !name.empty();
}

/// TypeProto.Tensor: elem_type = 1, shape = 2; TensorShapeProto: dim = 1; Dimension: dim_value = 1.
bool read_tensor_type(Bytes bytes, Value& value) {
    ProtoReader type(bytes);
    ProtoField field, dim, size;
    while (type.next(field)) {
        if (field.number == 1) value.is_float = field.integer == kFloat32;
        if (field.number != 2) continue;
        ProtoReader shape(field.bytes);
        while (shape.next(dim)) {
            ProtoReader dimension(dim.bytes);
            int64_t known = -1;
            while (dimension.next(size))
                if (size.number == 1) known = static_cast<int64_t>(size.integer);
            if (dimension.is_malformed()) return false;
            value.dims.push_back(known);
        }
        if (shape.is_malformed()) return false;
    }
    return !type.is_malformed();
}

bool read_value(Bytes bytes, Value& value) {
    ProtoReader reader(bytes);
    ProtoField field, type;
    value.bytes = owned(bytes);
    while (reader.next(field)) {
        if (field.number == 1) value.name = field.text();
        if (field.number != 2) continue;
        ProtoReader types(field.bytes);
        while (types.next(type))
            if (type.number == 1 && !read_tensor_type(type.bytes, value)) return false;
        if (types.is_malformed()) return false;
    }
    return !reader.is_malformed() && !value.name.empty();
}

bool read_graph_field(const ProtoField& field, Model& model) {
    switch (field.number) {
        case kGraphNode:
            return read_node(field.bytes, model.nodes.emplace_back());
        case kGraphInput:
            return read_value(field.bytes, model.inputs.emplace_back());
        case kGraphOutput:
            return read_value(field.bytes, model.outputs.emplace_back());
        case kGraphSparse:
            return false;
        case kGraphInitializer: {
            std::string name;
            Weight weight;
            if (!read_weight(field.bytes, name, weight)) return false;
            model.weights.emplace(std::move(name), std::move(weight));
            return true;
        }
        default:
            return true;
    }
}

bool read_graph(Bytes bytes, Model& model) {
    ProtoReader reader(bytes);
    ProtoField field;
    while (reader.next(field))
        if (!read_graph_field(field, model)) return false;
    // Old files list weights among the inputs, with these as defaults.
    std::erase_if(model.inputs, [&](const Value& input) { return model.weights.contains(input.name); });
    return !reader.is_malformed();
}

}  // namespace

int64_t Node::integer_or(const std::string& name, int64_t otherwise) const {
    const auto found = integers.find(name);
    return found == integers.end() ? otherwise : found->second;
}

float Node::float_or(const std::string& name, float otherwise) const {
    const auto found = floats.find(name);
    return found == floats.end() ? otherwise : found->second;
}

std::optional<Model> read_model(std::vector<uint8_t> file) {
    Model model;
    model.file = std::move(file);
    ProtoReader reader(model.file);
    ProtoField field;
    bool has_graph = false;
    while (reader.next(field)) {
        if (field.number == kModelFunctions) return std::nullopt;
        if (field.number != kModelGraph) {
            model.preamble += owned(field.whole);
            continue;
        }
        if (has_graph || !read_graph(field.bytes, model)) return std::nullopt;
        has_graph = true;
    }
    if (reader.is_malformed() || !has_graph) return std::nullopt;
    return model;
}

std::string write_model(const Model& from, const std::vector<Node>& nodes, const std::vector<Value>& inputs,
                        const std::vector<Value>& outputs) {
    ProtoWriter graph;
    std::set<std::string> read;
    for (const Node& node : nodes) {
        graph.text(kGraphNode, node.bytes);
        read.insert(node.inputs.begin(), node.inputs.end());
    }
    graph.text(kGraphName, "graph");
    for (const auto& [name, weight] : from.weights)
        if (read.contains(name)) graph.text(kGraphInitializer, weight.bytes);
    for (const Value& input : inputs) graph.text(kGraphInput, input.bytes);
    for (const Value& output : outputs) graph.text(kGraphOutput, output.bytes);
    ProtoWriter model;
    model.raw({reinterpret_cast<const uint8_t*>(from.preamble.data()), from.preamble.size()});
    model.message(kModelGraph, graph);
    return model.str();
}

Node make_node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
               const std::map<std::string, int64_t>& integers) {
    Node node;
    ProtoWriter writer;
    for (const std::string& input : inputs) writer.text(kNodeInput, input);
    for (const std::string& output : outputs) writer.text(kNodeOutput, output);
    writer.text(kNodeOp, op);
    for (const auto& [name, value] : integers) {
        ProtoWriter attribute;
        attribute.text(kAttributeName, name);
        attribute.integer(kAttributeInteger, static_cast<uint64_t>(value));
        attribute.integer(kAttributeType, kTypeInteger);
        writer.message(kNodeAttribute, attribute);
    }
    node.op = std::move(op);
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    node.integers = integers;
    node.bytes = writer.str();
    return node;
}

Weight make_weight(const std::string& name, const std::vector<float>& values, int64_t rows, int64_t columns) {
    Weight weight;
    weight.is_float = true;
    weight.dims = columns > 0 ? std::vector<int64_t>{rows, columns} : std::vector<int64_t>{rows};
    ProtoWriter writer;
    for (const int64_t size : weight.dims) writer.integer(kTensorDims, static_cast<uint64_t>(size));
    writer.integer(kTensorType, kFloat32);
    writer.text(kTensorName, name);
    writer.bytes(kTensorRaw, {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    weight.bytes = writer.str();
    return weight;
}

Value make_rows(const std::string& name, int64_t width) {
    Value value;
    value.name = name;
    value.is_float = true;
    value.dims = {-1, width};
    ProtoWriter free, fixed, shape, tensor, type, writer;
    // A dimension without a name: one that the graph knows by another meaning would bind the two together.
    fixed.integer(1, static_cast<uint64_t>(width));
    shape.message(1, free);
    shape.message(1, fixed);
    tensor.integer(1, kFloat32);
    tensor.message(2, shape);
    type.message(1, tensor);
    writer.text(1, name);
    writer.message(2, type);
    value.bytes = writer.str();
    return value;
}

}  // namespace rankd::graph
