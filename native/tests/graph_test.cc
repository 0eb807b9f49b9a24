// Ranking graphs taken apart: the same numbers from both halves, nothing from files that are no models.
#include <cmath>
#include <cstdlib>
#include <random>

#include "graph/factor.h"
#include "session/session.h"
#include "tests/test.h"

namespace rankd::graph {
namespace {

using session::Tensor;

constexpr int64_t kWidth = 6, kHidden = 5;

std::vector<uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

std::vector<float> numbers(size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(random);
    return values;
}

/// int64 [any].
Value make_indices(const std::string& name) {
    ProtoWriter free, shape, tensor, type, writer;
    shape.message(1, free);
    tensor.integer(1, 7);
    tensor.message(2, shape);
    type.message(1, tensor);
    writer.text(1, name);
    writer.message(2, type);
    Value value;
    value.name = name;
    value.bytes = writer.str();
    return value;
}

/// IR 8 with opset 17.
std::string preamble() {
    ProtoWriter opset, model;
    opset.text(1, "");
    opset.integer(2, 17);
    model.integer(1, 8);
    model.message(8, opset);
    return model.str();
}

/// relu([user[row_user]; item; pair] W + b) V, a ranker as PyTorch exports it.
Model ranker(bool is_transposed = false) {
    Model model;
    model.preamble = preamble();
    const int64_t inner = 2 * kWidth + 2;
    const auto weight = numbers(static_cast<size_t>(inner * kHidden), 1);
    model.weights.emplace("W",
                          is_transposed ? make_weight("W", weight, kHidden, inner) : make_weight("W", weight, inner, kHidden));
    model.weights.emplace("b", make_weight("b", numbers(kHidden, 2), kHidden, 0));
    model.weights.emplace("V", make_weight("V", numbers(kHidden, 3), kHidden, 1));
    model.nodes = {
        make_node("Gather", {"user", "row_user"}, {"user_of_row"}, {{"axis", 0}}),
        make_node("Concat", {"user_of_row", "item", "pair"}, {"all"}, {{"axis", 1}}),
        make_node("Gemm", {"all", "W", "b"}, {"sum"}, {{"transB", is_transposed ? 1 : 0}}),
        make_node("Relu", {"sum"}, {"hidden"}),
        make_node("MatMul", {"hidden", "V"}, {"score"}),
    };
    model.inputs = {make_rows("user", kWidth), make_indices("row_user"), make_rows("item", kWidth), make_rows("pair", 2)};
    model.outputs = {make_rows("score", 1)};
    return model;
}

const Inputs kInputs = {{"user"}, {"item"}, "row_user"};

/// As a file has it: weights of `make_weight` show their numbers only once they have been read.
Model read_again(const Model& model) {
    auto read = read_model(bytes_of(write_model(model, model.nodes, model.inputs, model.outputs)));
    CHECK(read.has_value());
    return read ? std::move(*read) : Model{};
}

std::vector<std::string> ops_of(const std::string& file) {
    std::vector<std::string> ops;
    const auto model = read_model(bytes_of(file));
    CHECK(model.has_value());
    if (model)
        for (const Node& node : model->nodes) ops.push_back(node.op);
    return ops;
}

bool has_ort() {
    return std::getenv("RANKD_TEST_NO_ORT") == nullptr;
}

struct Numbers {
    std::vector<float> user = numbers(2 * kWidth, 4), item = numbers(7 * kWidth, 5), pair = numbers(7 * 2, 6);
    std::vector<int64_t> row_user = {0, 0, 1, 1, 0, 1, 1};
    std::vector<float> result;  ///< per item, by the first half

    Tensor tensor(const session::TensorInfo& info) {
        if (info.name == "user") return Tensor::matrix(user.data(), 2, kWidth);
        if (info.name == "item") return Tensor::matrix(item.data(), 7, kWidth);
        if (info.name == "pair") return Tensor::matrix(pair.data(), 7, 2);
        if (info.name == "row_user") return {row_user.data(), ElementType::kI64, 1, {7, 1}};
        return Tensor::matrix(result.data(), 7, static_cast<size_t>(info.shape[1]));
    }
};

std::vector<float> run(const std::string& file, Numbers& given, const std::string& output, size_t width) {
    const auto bytes = bytes_of(file);
    auto session = session::ort_sessions().open_bytes(bytes);
    CHECK_OK(session.status());
    if (!session.is_ok()) return {};
    std::vector<Tensor> inputs;
    for (const session::TensorInfo& info : (*session)->inputs()) inputs.push_back(given.tensor(info));
    std::vector<float> values(7 * width);
    const Tensor target = Tensor::matrix(values.data(), 7, width);
    const char* const name = output.c_str();
    CHECK_OK((*session)->run(inputs, {&name, 1}, {&target, 1}));
    return values;
}

void check_same_scores(const Model& model) {
    if (!has_ort()) return;
    const auto factored = factor_items(read_again(model), kInputs);
    CHECK(factored.has_value());
    if (!factored) return;
    Numbers given;
    const auto whole = run(write_model(model, model.nodes, model.inputs, model.outputs), given, "score", 1);
    given.result = run(factored->per_item, given, factored->results[0].name, factored->results[0].width);
    const auto parts = run(factored->rest, given, "score", 1);
    for (size_t i = 0; i < whole.size() && i < parts.size(); ++i) CHECK(std::abs(whole[i] - parts[i]) < 1e-5f);
}

TEST("a layer over user, item and pair becomes a layer of each, the item's once per item and the user's once per user") {
    const auto factored = factor_items(read_again(ranker()), kInputs);
    CHECK(factored.has_value());
    if (!factored) return;
    CHECK((factored->item_inputs == std::vector<std::string>{"item"}));
    CHECK_EQ(factored->results.size(), 1u);
    CHECK_EQ(factored->results[0].name, "sum/item");
    CHECK_EQ(factored->results[0].width, static_cast<uint32_t>(kHidden));
    CHECK((ops_of(factored->per_item) == std::vector<std::string>{"MatMul"}));
    CHECK((ops_of(factored->rest) == std::vector<std::string>{"Gemm", "Gather", "MatMul", "Add", "Add", "Relu", "MatMul"}));
}

TEST("both halves together give the scores of the whole, however the weights are stored") {
    check_same_scores(ranker());
    check_same_scores(ranker(true));
}

TEST("a tower over the item that the graph has already is cut where the pair begins") {
    Model model = ranker();
    model.weights.emplace("T", make_weight("T", numbers(static_cast<size_t>(kWidth * kWidth), 8), kWidth, kWidth));
    model.nodes.insert(model.nodes.begin(), make_node("Relu", {"tower"}, {"tower_out"}));
    model.nodes.insert(model.nodes.begin(), make_node("MatMul", {"item", "T"}, {"tower"}));
    model.nodes[3] = make_node("Concat", {"user_of_row", "tower_out", "pair"}, {"all"}, {{"axis", 1}});
    const auto factored = factor_items(read_again(model), kInputs);
    CHECK(factored.has_value());
    if (factored) CHECK((ops_of(factored->per_item) == std::vector<std::string>{"MatMul", "Relu", "MatMul"}));
    check_same_scores(model);
}

TEST("graphs without a dense layer over the item alone stay whole") {
    CHECK(!factor_items(read_again(ranker()), {{"user"}, {}, "row_user"}));
    Model product = ranker();
    product.nodes[1] = make_node("Mul", {"user_of_row", "item"}, {"product"});
    product.nodes[2] = make_node("Concat", {"product", "product", "pair"}, {"all"}, {{"axis", 1}});
    product.nodes.insert(product.nodes.begin() + 3, make_node("Gemm", {"all", "W", "b"}, {"sum"}));
    product.nodes[4] = make_node("Relu", {"sum"}, {"hidden"});
    CHECK(!factor_items(read_again(product), kInputs));
}

TEST("a tensor that mixes rows belongs to the pair") {
    Model model = ranker();
    model.nodes.insert(model.nodes.begin(), make_node("Softmax", {"item"}, {"mixed"}, {{"axis", 0}}));
    model.nodes[2] = make_node("Concat", {"user_of_row", "mixed", "pair"}, {"all"}, {{"axis", 1}});
    CHECK(!factor_items(read_again(model), kInputs));
}

TEST("bytes that are no model, cut short or changed anywhere, give nothing and harm nothing") {
    const Model model = ranker();
    const std::string file = write_model(model, model.nodes, model.inputs, model.outputs);
    CHECK(!read_model({}));
    CHECK(!read_model(bytes_of("this is no protocol buffer, and no model either")));
    for (size_t size = 0; size < file.size(); ++size) {
        auto read = read_model(bytes_of(file.substr(0, size)));
        if (read) factor_items(std::move(*read), kInputs);
    }
    std::mt19937 random(9);
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = bytes_of(file);
        for (int flip = 0; flip < 3; ++flip) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
        auto read = read_model(std::move(bytes));
        if (read) factor_items(std::move(*read), kInputs);
    }
}

}  // namespace
}  // namespace rankd::graph
