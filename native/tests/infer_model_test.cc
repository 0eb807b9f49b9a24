// Whole models through the engine, on ONNX Runtime: every datatype, raw bodies, classes, reshapes, and callers that break a run.
#include <algorithm>
#include <cctype>

#include "engine/core.h"
#include "engine/handle.h"
#include "tests/test.h"
#include "tests/triton_fixtures.h"
#include "tests/wire_support.h"

namespace rankd {
namespace {

using engine::Core;
using test::contains;
using test::from_text;
using test::generated_manifest;
using test::has_ort;

/// One model of the Triton fixtures, asked in bodies of the Open Inference Protocol.
class Served {
  public:
    explicit Served(const std::string& model, const std::string& infer = "{}") : model_(model), core_(Core::create(options())) {
        CHECK_OK(core_->load(test::triton_version(model), generated_manifest(model, infer)));
        handle_ = std::move(core_->attach()).value();
    }
    ~Served() {
        handle_.reset();
        core_->close();
    }

    void submit(std::string_view body, uint32_t json_bytes = wire::kAllJson) {
        const engine::BareBody bare{wire::Operation::kInfer, model_, 0, "req", {}, json_bytes};
        CHECK(handle_->submit(from_text(body), wire::Codec::kOip, bare) >= 0);
    }
    std::vector<std::string> answers() {
        const engine::FlushResult flushed = handle_->flush(1'000'000);
        std::vector<std::string> texts;
        for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
            const auto bytes = flushed.slab->bytes().subspan(flushed.records[i + 1], flushed.records[i + 2]);
            texts.emplace_back(bytes.begin(), bytes.end());
        }
        return texts;
    }
    std::string ask(std::string_view body, uint32_t json_bytes = wire::kAllJson) {
        submit(body, json_bytes);
        const auto texts = answers();
        CHECK_EQ(texts.size(), 1u);
        return texts.empty() ? "" : texts[0];
    }

  private:
    static engine::CoreOptions options() {
        engine::CoreOptions options;
        options.compute_threads = 0;
        return options;
    }
    const std::string model_;
    std::shared_ptr<Core> core_;
    std::shared_ptr<engine::Handle> handle_;
};

void check_has(const std::string& answer, std::string_view part) {
    if (!contains(answer, part)) test::fail(__FILE__, __LINE__, "\"" + answer + "\" lacks \"" + std::string(part) + "\"");
}

std::string input(std::string_view datatype, std::string_view shape, std::string_view data, std::string_view members = "") {
    return R"({"inputs": [{"name": "INPUT0", "datatype": ")" + std::string(datatype) + R"(", "shape": )" + std::string(shape) +
           R"(, "data": )" + std::string(data) + "}]" + std::string(members) + "}";
}

TEST("every datatype comes back as it went, also in no elements at all") {
    if (!has_ort()) return;
    constexpr std::pair<const char*, size_t> kTypes[] = {{"bool", 1}, {"uint8", 1}, {"uint16", 2}, {"uint32", 4}, {"uint64", 8},
                                                         {"int8", 1}, {"int16", 2}, {"int32", 4},  {"int64", 8},  {"fp16", 2},
                                                         {"bf16", 2}, {"fp32", 4},  {"fp64", 8},   {"bytes", 0}};
    for (const auto& [type, bytes] : kTypes) {
        std::string datatype = type;
        std::transform(datatype.begin(), datatype.end(), datatype.begin(),
                       [](char c) { return static_cast<char>(std::toupper(c)); });
        Served served("identity_" + std::string(type));
        for (const size_t rows : {2u, 0u}) {
            const std::string element = bytes > 0 ? std::string(bytes, '\1') : std::string("\3\0\0\0a\0b", 7);
            std::string data;
            for (size_t i = 0; i < 3 * rows; ++i) data += element;
            std::string body = R"({"inputs": [{"name": "INPUT0", "datatype": ")" + datatype + R"(", "shape": [)" +
                               std::to_string(rows) + R"(, 3], "parameters": {"binary_data_size": )" +
                               std::to_string(data.size()) + R"(}}], "parameters": {"binary_data_output": true}})";
            const auto json_bytes = static_cast<uint32_t>(body.size());
            const std::string answer = served.ask(body + data, json_bytes);
            check_has(answer, R"("datatype":")" + datatype + R"(","shape":[)" + std::to_string(rows) + ",3]");
            CHECK(answer.ends_with("}" + data));
        }
    }
}

TEST("texts are numbers to the graph that reads them, and requests with texts share runs") {
    if (!has_ort()) return;
    Served served("simple_string", R"({"max_batch_size": 8, "dynamic_batching": true})");
    const auto texts = [](int from) {
        std::string list = "[";
        for (int i = 0; i < 16; ++i) list += (i == 0 ? "\"" : ", \"") + std::to_string(from + i) + "\"";
        return list + "]";
    };
    for (const int from : {0, 100})
        served.submit(R"({"inputs": [{"name": "INPUT0", "datatype": "BYTES", "shape": [1, 16], "data": )" + texts(from) +
                      R"(}, {"name": "INPUT1", "datatype": "BYTES", "shape": [1, 16], "data": )" + texts(1) + "}]}");
    const auto answers = served.answers();
    CHECK_EQ(answers.size(), 2u);
    check_has(answers[0], R"("data":["1","3","5",)");
    check_has(answers[1], R"("data":["101","103","105",)");
}

TEST("a body without JSON is the one input, in the shape that the model leaves it") {
    if (!has_ort()) return;
    Served slow("slow", R"({"max_batch_size": 8})");
    const float row[4] = {1, 2, 3, 6};
    const std::string_view bytes(reinterpret_cast<const char*>(row), sizeof(row));
    const std::string answer = slow.ask(bytes, 0);
    check_has(answer, R"("shape":[1,1],"parameters":{"binary_data_size":4})");
    const float mean = 3;
    CHECK(answer.ends_with(std::string_view(reinterpret_cast<const char*>(&mean), sizeof(mean))));
    check_has(slow.ask(bytes.substr(4), 0), "input byte size mismatch for input 'INPUT0' for model 'slow'. Expected 16, got 12");
    Served wide("identity_fp32", R"({"max_batch_size": 8})");
    check_has(wide.ask(bytes, 0), R"("shape":[1,4])");
    Served two("simple", R"({"max_batch_size": 8})");
    check_has(two.ask(bytes, 0), "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'simple'");
    Served variable("variable", R"({"max_batch_size": 0})");
    check_has(variable.ask(bytes, 0), "The shape of the raw input 'INPUT0' can not be deduced because there are more than one");
    Served text("simple_identity", R"({"max_batch_size": 8, "inputs": [{"name": "INPUT0", "dims": [1]}]})");
    const std::string echoed = text.ask("any bytes", 0);
    check_has(echoed, R"("datatype":"BYTES","shape":[1,1])");
    CHECK(echoed.ends_with(std::string_view("\11\0\0\0any bytes", 13)));
    Served texts("simple_identity", R"({"max_batch_size": 8, "inputs": [{"name": "INPUT0", "dims": [-1]}]})");
    check_has(texts.ask("any bytes", 0), "For BYTE datatype raw input 'INPUT0', the model must have input shape [1]");
}

TEST("classes are the highest of each row, with their labels") {
    if (!has_ort()) return;
    Served served("classifier", R"({"max_batch_size": 8, "outputs": [{"name": "OUTPUT0", "labels": "labels.txt"}]})");
    const auto asking = [](int classes) {
        return R"(, "outputs": [{"name": "OUTPUT0", "parameters": {"classification": )" + std::to_string(classes) + "}}]";
    };
    const std::string two = served.ask(input("FP32", "[2, 4]", "[0.25, 3, 1, 2, 0, 0, 0, 0.5]", asking(2)));
    check_has(
        two,
        R"("datatype":"BYTES","shape":[2,2],"data":["3.000000:1:dog","2.000000:3:fish","0.500000:3:fish","0.000000:0:cat"])");
    check_has(served.ask(input("FP32", "[1, 4]", "[1, 2, 3, 4]", asking(9))), R"("shape":[1,4])");
    Served plain("no_batch");
    check_has(plain.ask(input("FP32", "[4]", "[1, 2, 3, 4]", asking(1))), R"("shape":[1],"data":["5.000000:3"])");
}

TEST("a caller's bad index fails that caller alone") {
    if (!has_ort()) return;
    Served served("gather");
    for (const char* index : {"2", "99", "4"}) served.submit(input("INT64", "[1, 1]", "[" + std::string(index) + "]"));
    const auto answers = served.answers();
    CHECK_EQ(answers.size(), 3u);
    check_has(answers[0], R"("data":[1]})");
    check_has(answers[1], "out of data bounds");
    check_has(answers[1], R"("code":"MODEL_FAILED")");
    check_has(answers[2], R"("data":[2]})");
}

TEST("callers see dims where the graph has its reshape") {
    if (!has_ort()) return;
    const std::string tensor = R"([{"name": "NAME", "dims": [2, 2], "reshape": [4]}])";
    const auto named = [&](std::string name) { return std::string(tensor).replace(tensor.find("NAME"), 4, name); };
    Served served("classifier", R"({"max_batch_size": 8, "dynamic_batching": true, "inputs": )" + named("INPUT0") +
                                    R"(, "outputs": )" + named("OUTPUT0") + "}");
    for (int request = 0; request < 2; ++request) served.submit(input("FP32", "[1, 2, 2]", "[1, 2, 3, 4]"));
    for (const std::string& answer : served.answers()) check_has(answer, R"("shape":[1,2,2],"data":[1,2,3,4])");
    check_has(served.ask(input("FP32", "[1, 4]", "[1, 2, 3, 4]")), "Expected [-1,2,2], got [1,4]");
}

}  // namespace
}  // namespace rankd
