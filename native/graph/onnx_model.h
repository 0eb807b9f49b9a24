// An ONNX file taken apart: nodes, weights, inputs and outputs, each with its bytes, so that other graphs can be put together
// from them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/proto.h"

namespace rankd::graph {

/// One operator. Attributes that hold graphs, tensors or lists are not read: `is_plain` says whether there were only numbers.
struct Node {
    std::string op;
    std::string domain;
    std::vector<std::string> inputs, outputs;
    std::map<std::string, int64_t> integers;
    std::map<std::string, float> floats;
    bool is_plain = true;
    std::string bytes;  ///< NodeProto

    int64_t integer_or(const std::string& name, int64_t otherwise) const;
    float float_or(const std::string& name, float otherwise) const;
};

/// A constant of the graph.
struct Weight {
    std::vector<int64_t> dims;
    bool is_float = false;
    Bytes floats;       ///< float32, little-endian, row-major; empty when the file keeps them in another form
    std::string bytes;  ///< TensorProto
};

/// An input or output; -1 is a free dimension.
struct Value {
    std::string name;
    std::vector<int64_t> dims;
    bool is_float = false;
    std::string bytes;  ///< ValueInfoProto
};

struct Model {
    std::string preamble;  ///< every field of ModelProto but the graph
    std::vector<Node> nodes;
    std::map<std::string, Weight> weights;
    std::vector<Value> inputs, outputs;
    std::vector<uint8_t> file;  ///< what the views of `weights` look into
};

/// @return nothing for bytes that are no ONNX model, or that hold what these rewrites do not know: functions, subgraphs, sparse
/// or external weights
std::optional<Model> read_model(std::vector<uint8_t> file);

/// A model of these parts; weights that no node reads are left out.
std::string write_model(const Model& from, const std::vector<Node>& nodes, const std::vector<Value>& inputs,
                        const std::vector<Value>& outputs);

Node make_node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
               const std::map<std::string, int64_t>& integers = {});
/// A float32 matrix [rows, columns], or a vector when `columns` is 0.
Weight make_weight(const std::string& name, const std::vector<float>& values, int64_t rows, int64_t columns);
/// float32 [any, width].
Value make_rows(const std::string& name, int64_t width);

}  // namespace rankd::graph
