// `infer` in both codecs: tensors of every type as bytes and as lists, and every refusal.
#include <cstring>
#include <limits>

#include "tests/test.h"
#include "tests/wire_support.h"
#include "wire/request.h"
#include "wire/response.h"

namespace rankd::wire {
namespace {

using test::Bytes;
using test::from_text;
using test::GuardedBody;
using test::pack;

struct Decoded {
    Decoded(Codec codec, std::span<const uint8_t> bytes, const Limits& limits = {}) : body(codec, bytes) {
        RequestDecoder decoder(limits);
        status = decoder.decode(Operation::kInfer, codec, body.bytes(), arena, request);
    }
    GuardedBody body;
    Arena arena;
    Request request;
    Status status;
};

Decoded json(std::string_view text, const Limits& limits = {}) {
    return Decoded(Codec::kJson, from_text(text), limits);
}
/// One JSON tensor named x.
Decoded tensor(std::string_view datatype, std::string_view shape, std::string_view data) {
    return json(R"({"inputs": [{"name": "x", "datatype": ")" + std::string(datatype) + R"(", "shape": )" + std::string(shape) +
                R"(, "data": )" + std::string(data) + "}]}");
}

template <typename T>
std::vector<T> elements(const Decoded& decoded) {
    CHECK_OK(decoded.status);
    if (decoded.request.inputs.empty()) return {};
    const auto data = decoded.request.inputs[0].data;
    std::vector<T> values(data.size() / sizeof(T));
    if (!data.empty()) std::memcpy(values.data(), data.data(), data.size());
    return values;
}

Bytes packed_tensor(const Bytes& data, std::string_view datatype = "FP32", std::vector<uint64_t> shape = {1, 2}) {
    return pack([&](MsgpackWriter& w) {
        w.begin_map(2), w.key("inputs"), w.begin_list(1), w.begin_map(4);
        w.key("data"), w.binary(data.data(), data.size());
        w.key("shape"), w.begin_list(shape.size());
        for (const uint64_t dimension : shape) w.integer(dimension);
        w.key("name"), w.text("x"), w.key("datatype"), w.text(datatype);
        w.key("outputs"), w.begin_list(1), w.begin_map(1), w.key("name"), w.text("y");
    });
}

TEST("infer takes binary tensors, whatever the order of their fields, and the outputs it wants") {
    const Decoded decoded(Codec::kMsgpack, packed_tensor({0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}));
    CHECK((elements<float>(decoded) == std::vector<float>{1, 2}));
    const NamedTensor& x = decoded.request.inputs[0];
    CHECK_EQ(x.name, "x");
    CHECK(x.type == ElementType::kF32);
    CHECK((std::vector<int64_t>(x.shape.begin(), x.shape.end()) == std::vector<int64_t>{1, 2}));
    CHECK_EQ(decoded.request.outputs.size(), 1u);
    CHECK_EQ(decoded.request.outputs[0].name, "y");
}

TEST("infer takes lists of numbers, nested as the shape or flat, exact to 64 bits") {
    CHECK((elements<float>(tensor("FP32", "[2, 2]", "[[1, 2.5], [-3, 1e-3]]")) == std::vector<float>{1, 2.5, -3, 1e-3f}));
    CHECK((elements<double>(tensor("FP64", "[1]", "[0.1]")) == std::vector<double>{0.1}));
    CHECK((elements<uint64_t>(tensor("UINT64", "[2]", "[18446744073709551615, 9007199254740993]")) ==
           std::vector<uint64_t>{UINT64_MAX, 9007199254740993u}));
    CHECK((elements<int64_t>(tensor("INT64", "[1, 2]", "[-9223372036854775808, 7]")) == std::vector<int64_t>{INT64_MIN, 7}));
    CHECK((elements<int8_t>(tensor("INT8", "[2]", "[-128, 127]")) == std::vector<int8_t>{-128, 127}));
    CHECK((elements<uint8_t>(tensor("BOOL", "[2]", "[true, false]")) == std::vector<uint8_t>{1, 0}));
    CHECK((elements<int32_t>(tensor("INT32", "[1]", "[5.0]")) == std::vector<int32_t>{5}));
    CHECK_EQ(elements<float>(tensor("FP32", "[0, 4]", "[]")).size(), 0u);
    CHECK((elements<float>(tensor("FP32", "[]", "[3]")) == std::vector<float>{3}));
}

TEST("a number that the type does not hold is refused with its place") {
    const auto refused = [](std::string_view datatype, std::string_view value) {
        CHECK_FAILS(tensor(datatype, "[2]", "[0, " + std::string(value) + "]").status, Code::INVALID_ARGUMENT,
                    "element 1 of its data (counted from 0) does not fit");
    };
    refused("INT8", "128");
    refused("INT8", "-129");
    refused("UINT8", "-1");
    refused("UINT16", "65536");
    refused("INT32", "2147483648");
    refused("INT64", "9223372036854775808");
    refused("INT64", "0.5");
    refused("FP32", "1e39");
    CHECK_FAILS(tensor("BOOL", "[1]", "[1]").status, Code::INVALID_ARGUMENT, "does not fit");
    CHECK_FAILS(tensor("FP32", "[1]", "[true]").status, Code::INVALID_ARGUMENT, "does not fit");
}

TEST("data must be as long as the shape says") {
    CHECK_FAILS(Decoded(Codec::kMsgpack, packed_tensor({1, 2, 3})).status, Code::SHAPE_MISMATCH,
                "inputs[0] needs 8 bytes of data (2 elements of FP32), got 3");
    CHECK_FAILS(tensor("FP32", "[2, 3]", "[1, 2, 3]").status, Code::SHAPE_MISMATCH, "needs 6 elements of data, got 3");
    CHECK_FAILS(tensor("FP32", "[4294967295, 4294967295]", "[1]").status, Code::LIMIT_EXCEEDED, "a shape of more than");
    CHECK_FAILS(Decoded(Codec::kMsgpack, packed_tensor({}, "FP32", {4294967295u, 4294967295u, 4294967295u})).status,
                Code::LIMIT_EXCEEDED, "a shape of more than");
}

TEST("a tensor without its parts, or with other ones, is refused by name") {
    const auto refused = [](std::string_view inputs, std::string_view part) {
        CHECK_FAILS(json(R"({"inputs": )" + std::string(inputs) + "}").status, Code::INVALID_ARGUMENT, part);
    };
    CHECK_FAILS(json("{}").status, Code::INVALID_ARGUMENT, "infer needs \"inputs\"");
    CHECK_FAILS(json(R"({"rows": []})").status, Code::INVALID_ARGUMENT, "infer takes no field \"rows\"");
    refused("7", "must be a list of {name, datatype, shape, data}");
    refused("[7]", "inputs[0] must be a map");
    refused(R"([{"datatype": "FP32", "shape": [0], "data": []}])", "inputs[0] has no \"name\"");
    refused(R"([{"name": "x", "shape": [0], "data": []}])", "inputs[0] has no \"datatype\"");
    refused(R"([{"name": "x", "datatype": "FP32", "data": []}])", "inputs[0] has no \"shape\"");
    refused(R"([{"name": "x", "datatype": "FP32", "shape": [0]}])", "inputs[0] has no \"data\"");
    refused(R"([{"name": "x", "datatype": "F32", "shape": [0], "data": []}])", "inputs[0].datatype must be one of BOOL, UINT8");
    refused(R"([{"name": "x", "datatype": "FP32", "shape": [-1], "data": []}])", "inputs[0].shape[0] must be a dimension");
    refused(R"([{"name": "x", "datatype": "FP32", "shape": [1], "data": ["1"]}])", "inputs[0] is FP32, and its data holds texts");
    refused(R"([{"name": "x", "datatype": "BYTES", "shape": [1], "data": [1]}])",
            "inputs[0] is BYTES, and its data holds numbers");
    refused(R"([{"name": "x", "datatype": "FP32", "shape": [1], "data": [null]}])",
            "inputs[0].data[0] must be a number or a text");
    refused(R"([{"name": "x", "datatype": "FP16", "shape": [1], "data": [1]}])", "has no list form: send binary");
    refused(R"([{"name": "x", "name": "y", "datatype": "FP32", "shape": [0], "data": []}])", "has the field \"name\" twice");
    refused(R"([{"name": "x", "type": 1}])", "unknown field \"type\": expected name, datatype, shape and data");
    refused(R"([{"name": "x", "datatype": "FP32", "shape": [0], "data": []}, {"name": "x", "datatype": "FP32", "shape": [0],
             "data": []}])",
            "names \"x\" twice");
    CHECK_FAILS(json(R"({"inputs": [], "outputs": ["y"]})").status, Code::INVALID_ARGUMENT, "outputs[0] must be a map {name}");
    CHECK_FAILS(json(R"({"inputs": [], "outputs": [{}]})").status, Code::INVALID_ARGUMENT, "outputs[0] has no \"name\"");
}

TEST("BYTES are lists of texts, or binary with the length of each element before it") {
    const Bytes serialised = {1, 0, 0, 0, 'a', 2, 0, 0, 0, 0xc3, 0xa9};
    CHECK(elements<uint8_t>(tensor("BYTES", "[2]", R"(["a", "é"])")) == serialised);
    CHECK(elements<uint8_t>(Decoded(Codec::kMsgpack, packed_tensor(serialised, "BYTES"))) == serialised);
    CHECK_FAILS(tensor("BYTES", "[1]", R"(["a", "é"])").status, Code::SHAPE_MISMATCH,
                "inputs[0].data: must have 1 elements, got 2");
    CHECK_FAILS(Decoded(Codec::kMsgpack, packed_tensor({1, 0, 0, 0}, "BYTES")).status, Code::SHAPE_MISMATCH, "is not whole");
    const int64_t two[] = {2};
    const NamedTensor outputs[] = {{"y", ElementType::kBytes, two, serialised}};
    Answer answer;
    answer.kind = AnswerKind::kOutputs;
    answer.outputs = outputs;
    ByteBuffer text;
    encode_answer(Codec::kJson, Framing::kBody, answer, text);
    CHECK(test::contains({reinterpret_cast<const char*>(text.data()), text.size()},
                         R"({"name":"y","datatype":"BYTES","shape":[2],"data":["a","é"]})"));
}

TEST("tensors have limits") {
    CHECK_FAILS(tensor("FP32", "[1,1,1,1,1,1,1,1,1]", "[1]").status, Code::LIMIT_EXCEEDED, "at most 8");
    CHECK_FAILS(tensor("FP32", "[1]", "[[[[[[[[[1]]]]]]]]]").status, Code::LIMIT_EXCEEDED, "nests deeper than 8");
    Limits limits;
    limits.max_tensors = 1;
    CHECK_FAILS(json(R"({"inputs": [1, 2]})", limits).status, Code::LIMIT_EXCEEDED, "at most 1");
}

TEST("answers of infer are bytes in msgpack and numbers in JSON") {
    const float values[] = {0.5f, std::numeric_limits<float>::quiet_NaN()};
    const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7c00};
    const int64_t shape[] = {1, 2}, four[] = {4};
    const auto bytes = [](const auto& array) { return std::span(reinterpret_cast<const uint8_t*>(&array), sizeof(array)); };
    const NamedTensor outputs[] = {{"y", ElementType::kF32, shape, bytes(values)}, {"h", ElementType::kF16, four, bytes(halves)}};
    Answer answer;
    answer.kind = AnswerKind::kOutputs;
    answer.outputs = outputs;
    ByteBuffer text, packed;
    encode_answer(Codec::kJson, Framing::kBody, answer, text);
    CHECK(test::contains({reinterpret_cast<const char*>(text.data()), text.size()},
                         R"("outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[0.5,null]},)"
                         R"({"name":"h","datatype":"FP16","shape":[4],"data":[1,-2,5.9604645e-08,null]}])"));
    encode_answer(Codec::kMsgpack, Framing::kBody, answer, packed);
    CHECK(test::contains({reinterpret_cast<const char*>(packed.data()), packed.size()},
                         std::string_view("\xa4"
                                          "data\xc4\x08\x00\x00\x00\x3f\x00\x00\xc0\x7f",
                                          15)));
}

}  // namespace
}  // namespace rankd::wire
