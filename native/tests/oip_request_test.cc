// Requests of the Open Inference Protocol: tensors in JSON and behind it, parameters, and every refusal.
#include <cmath>

#include "tests/oip_support.h"
#include "tests/test.h"
#include "wire/oip_head.h"

namespace rankd::wire {
namespace {

using test::elements_of;
using test::oip;
using test::oip_binary;
using test::oip_input;
using test::OipDecoded;

template <typename T>
std::vector<T> data(const OipDecoded& decoded) {
    CHECK_OK(decoded.status);
    return decoded.request.inputs.empty() ? std::vector<T>{} : elements_of<T>(decoded.request.inputs[0]);
}

void refused(const OipDecoded& decoded, Code code, std::string_view part) {
    CHECK_FAILS(decoded.status, code, part);
}

TEST("an OIP request in JSON: id, several inputs, nested and flat, members that mean nothing to us") {
    const OipDecoded decoded = oip(R"({"id": "r\n1", "what": {"is": [this_is_no_json]}})");
    refused(decoded, Code::INVALID_BODY, "failed to parse the request JSON buffer: expected a value at 31");
    const OipDecoded good = oip(R"({"later": {"maybe": []}, "id": "r\n1", "outputs": [{"name": "y"}, {"name": "z", "parameters":
        {"binary_data": true, "classification": 3}}], "inputs": [{"data": [[1, -2], [3, 4]], "name": "a", "datatype": "INT32", "shape": [2, 2], "x": 1},
        {"name": "b", "datatype": "FP32", "shape": [3], "data": [1, 2.5, 1e-3]}]})");
    CHECK_OK(good.status);
    CHECK(good.request.has_id);
    CHECK_EQ(good.request.id, "r\n1");
    CHECK_EQ(good.request.inputs.size(), 2u);
    CHECK((elements_of<int32_t>(good.request.inputs[0]) == std::vector<int32_t>{1, -2, 3, 4}));
    CHECK((elements_of<float>(good.request.inputs[1]) == std::vector<float>{1, 2.5, 1e-3f}));
    CHECK_EQ(good.request.outputs.size(), 2u);
    CHECK_EQ(good.request.outputs[1].name, "z");
    CHECK(!good.request.outputs[0].is_binary);
    CHECK(good.request.outputs[1].is_binary);
    CHECK_EQ(good.request.outputs[1].classes, 3u);
}

TEST("numbers in JSON are exact, and a number that the type does not hold is refused with its place") {
    CHECK((data<uint64_t>(oip(oip_input("UINT64", "[2]", R"("data": [18446744073709551615, 9007199254740993])"))) ==
           std::vector<uint64_t>{UINT64_MAX, 9007199254740993u}));
    CHECK((data<int64_t>(oip(oip_input("INT64", "[1, 1]", R"("data": [[-9223372036854775808]])"))) ==
           std::vector<int64_t>{INT64_MIN}));
    CHECK((data<uint8_t>(oip(oip_input("BOOL", "[2]", R"("data": [true, false])"))) == std::vector<uint8_t>{1, 0}));
    CHECK((data<float>(oip(oip_input("FP32", "[]", R"("data": [3])"))) == std::vector<float>{3}));
    CHECK_EQ(data<float>(oip(oip_input("FP32", "[0, 4]", R"("data": [])"))).size(), 0u);
    const auto misfit = [](std::string_view datatype, std::string_view value, std::string_view part) {
        refused(oip(oip_input(datatype, "[2]", R"("data": [0, )" + std::string(value) + "]")), Code::INVALID_ARGUMENT, part);
    };
    misfit("INT8", "128", "'data' of input 'x': element 1 (counted from 0) must be a number of INT8, got 128");
    misfit("UINT8", "-1", "element 1");
    misfit("INT64", "9223372036854775808", "element 1");
    misfit("INT32", "0.5", "element 1");
    misfit("FP32", "1e39", "element 1");
    misfit("FP32", "true", "element 1");
    misfit("FP32", "\"1\"", "element 1");
    misfit("INT32", "NaN", "must be a number of INT32, got NaN");
    misfit("FP32", "null", "got null");
    refused(oip(oip_input("BOOL", "[1]", R"("data": [1])")), Code::INVALID_ARGUMENT, "must be true or false, got 1");
}

TEST("integers beyond 64 bits are floats, as JavaScript writes them, and no integers of any type") {
    const auto values = data<double>(oip(
        oip_input("FP64", "[5]", R"("data": [18446744073709552000, -9223372036854775809, 1e20, NaN, 18446744073709551615])")));
    CHECK_EQ(values[0], 18446744073709552000.0);
    CHECK_EQ(values[1], -9223372036854775808.0);
    CHECK_EQ(values[2], 1e20);
    CHECK(std::isnan(values[3]));
    CHECK_EQ(values[4], 18446744073709551615.0);
    refused(oip(oip_input("UINT64", "[1]", R"("data": [18446744073709551616])")), Code::INVALID_ARGUMENT,
            "must be a number of UINT64");
    const auto texts = oip(R"({"id": "18446744073709551616", "inputs": [{"name": "x", "datatype": "UINT64", "shape": [2],
                               "data": [18446744073709551615, 1]}]})");
    CHECK_EQ(data<uint64_t>(texts)[0], UINT64_MAX);
    CHECK_EQ(texts.request.id, "18446744073709551616");
}

TEST("NaN and Infinity may stand bare in data, and are text inside quotes") {
    const auto values = data<float>(oip(oip_input("FP32", "[4]", R"("data": [NaN, Infinity, -Infinity, -1])")));
    CHECK(values.size() == 4 && std::isnan(values[0]) && values[1] == INFINITY && values[2] == -INFINITY && values[3] == -1);
    const OipDecoded both =
        oip(R"({"id": "NaN, \"Infinity", "inputs": [{"name": "NaN", "datatype": "FP64", "shape": [1, 1], "data": [[NaN]]}]})");
    CHECK_OK(both.status);
    CHECK_EQ(both.request.id, "NaN, \"Infinity");
    CHECK_EQ(both.request.inputs[0].name, "NaN");
    refused(oip(oip_input("FP32", "[1]", R"("data": ["NaN"])")), Code::INVALID_ARGUMENT, "got \"NaN\" (text)");
    refused(oip(oip_input("BYTES", "[1]", R"("data": [NaN])")), Code::INVALID_ARGUMENT, "must be text, got NaN");
    refused(oip(oip_input("FP32", "[NaN]", R"("data": [1])")), Code::INVALID_SHAPE, "Unable to parse 'shape'");
    refused(oip(oip_input("FP32", "[1]", R"("data": [NaNs])")), Code::INVALID_BODY, "expected ',' or ']'");
    refused(oip(oip_input("FP32", "[1]", R"("data": [-NaN])")), Code::INVALID_BODY, "expected a digit");
}

TEST("texts are BYTES, in JSON and behind it") {
    const test::Bytes serialised = {1, 0, 0, 0, 'a', 0, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa9};
    CHECK(data<uint8_t>(oip(oip_input("BYTES", "[3, 1]", R"("data": [["a"], [""], ["é"]])"))) == serialised);
    const std::string head = oip_input("BYTES", "[3]", R"("parameters": {"binary_data_size": 15})");
    CHECK(data<uint8_t>(oip_binary(head, serialised)) == serialised);
    refused(oip(oip_input("BYTES", "[1]", R"("data": [1])")), Code::INVALID_ARGUMENT, "must be text, got 1");
    refused(oip(oip_input("BYTES", "[2]", R"("data": ["a"])")), Code::INVALID_SHAPE, "expected 2 elements");
    test::Bytes broken = serialised;
    broken[9] = 3;
    refused(oip_binary(head, broken), Code::SHAPE_MISMATCH, "element 2 (counted from 0), at byte 9, is not whole");
    refused(oip_binary(oip_input("BYTES", "[2]", R"("parameters": {"binary_data_size": 15})"), serialised), Code::SHAPE_MISMATCH,
            "must have 2 elements, got 3");
}

TEST("binary data stand behind the JSON in the order of the inputs") {
    const std::string head =
        R"({"inputs": [{"name": "a", "datatype": "INT16", "shape": [2], "parameters": {"binary_data_size": 4}},
        {"name": "j", "datatype": "INT16", "shape": [1], "data": [7]}, {"name": "e", "datatype": "FP32", "shape": [0], "parameters":
        {"binary_data_size": 0}}, {"name": "b", "datatype": "FP16", "shape": [1], "parameters": {"binary_data_size": 2}}]})";
    const OipDecoded decoded = oip_binary(head, {1, 0, 2, 0, 0, 0x3c});
    CHECK_OK(decoded.status);
    CHECK((elements_of<int16_t>(decoded.request.inputs[0]) == std::vector<int16_t>{1, 2}));
    CHECK((elements_of<int16_t>(decoded.request.inputs[1]) == std::vector<int16_t>{7}));
    CHECK_EQ(decoded.request.inputs[2].data.size(), 0u);
    CHECK((elements_of<uint16_t>(decoded.request.inputs[3]) == std::vector<uint16_t>{0x3c00}));
    refused(oip_binary(head, {1, 0, 2, 0, 0}), Code::INVALID_ARGUMENT,
            "unexpected size for input 'b', expecting 1 additional bytes for model 'm'");
    refused(oip_binary(head, {1, 0, 2, 0, 0, 0, 0}), Code::INVALID_ARGUMENT, "unexpected additional input data for model 'm'");
    refused(oip_binary(oip_input("FP32", "[16]", R"("parameters": {"binary_data_size": 60})"), test::Bytes(60)),
            Code::SHAPE_MISMATCH, "input byte size mismatch for input 'x' for model 'm'. Expected 64, got 60");
    refused(oip(oip_input("FP32", "[1]", R"("parameters": {"binary_data_size": -4})")), Code::INVALID_ARGUMENT,
            "Unable to parse 'binary_data_size' of input 'x': must be an integer from 0, got -4");
    refused(OipDecoded(test::from_text("{}"), 3), Code::INVALID_ARGUMENT,
            "inference header size should be in range (0, 2), got: 3");
}

TEST("a body without JSON is the data of the one input") {
    const test::Bytes bytes = {1, 2, 3, 4};
    const OipDecoded raw(bytes, 0);
    CHECK_OK(raw.status);
    CHECK(raw.request.has_raw_input && raw.request.wants_binary);
    CHECK_EQ(raw.request.raw_input.size(), 4u);
    CHECK_OK(OipDecoded({}, 0).status);
    refused(oip(""), Code::INVALID_BODY, "expected a value at 0");
}

TEST("each input has its data in one place") {
    refused(oip(oip_input("FP32", "[1]", R"("x": 1)")), Code::INVALID_ARGUMENT,
            "Input must set only one of the following fields");
    refused(oip(oip_input("FP32", "[1]", R"("data": [1], "parameters": {"binary_data_size": 4})")), Code::INVALID_ARGUMENT,
            "Input 'x' sets more than one of them");
    refused(oip(oip_input("FP32", "[1]", R"("parameters": {"shared_memory_region": "r"})")), Code::UNSUPPORTED_FEATURE,
            "shared memory");
    refused(oip(R"({"inputs": [], "outputs": [{"name": "y", "parameters": {"shared_memory_region": "r"}}]})"),
            Code::UNSUPPORTED_FEATURE, "output 'y'");
    refused(oip(oip_input("FP16", "[1]", R"("data": [1])")), Code::INVALID_ARGUMENT,
            "receiving FP16 data via JSON is not supported. Please use the binary data format for input x");
    refused(oip(oip_input("BF16", "[1]", R"("data": [1])")), Code::INVALID_ARGUMENT,
            "receiving BF16 data via JSON is not supported");
}

TEST("a shape counts its elements, and its dimensions are integers from 0") {
    for (const char* shape : {"[2]", "[4]", "[3, 0]"})
        refused(oip(oip_input("FP32", shape, R"("data": [1, 2, 3])")), Code::INVALID_SHAPE,
                "Failed to parse 'data' field: shape does not match true shape");
    for (const char* shape : {"[-1]", "[1.5]", "[\"1\"]", "7", "[9223372036854775808]"})
        refused(oip(oip_input("FP32", shape, R"("data": [1])")), Code::INVALID_SHAPE, "Unable to parse 'shape'");
    refused(oip(oip_input("FP32", "[4294967296, 4294967296]", R"("data": [1])")), Code::INVALID_ARGUMENT,
            "causes total element count to exceed maximum size of 9223372036854775807");
    refused(oip(oip_input("FP32", "[4294967296, 1073741824]", R"("data": [1])")), Code::INVALID_ARGUMENT,
            "byte size overflow for input 'x'");
    refused(oip(oip_input("FP32", "[4294967296]", R"("data": [1])")), Code::INVALID_SHAPE, "expected 4294967296 elements");
    CHECK_OK(oip(oip_input("FP32", "[4294967296, 4294967296, 0]", R"("data": [])")).status);
    CHECK_OK(oip(oip_input("FP32", "[1,1,1,1,1,1,1,1,1,1,1,1]", R"("data": [1])")).status);
}

TEST("what a request needs and what it may have once") {
    refused(oip("[]"), Code::INVALID_ARGUMENT, "must be a map, got a list of 0");
    refused(oip("{}"), Code::INVALID_ARGUMENT, "Unable to parse 'inputs': the request has none");
    refused(oip(R"({"inputs": {}})"), Code::INVALID_ARGUMENT, "'inputs': must be a list");
    refused(oip(R"({"inputs": [7]})"), Code::INVALID_ARGUMENT, "'inputs': must be a map");
    refused(oip(R"({"inputs": [], "outputs": 7})"), Code::INVALID_ARGUMENT, "'outputs': must be a list");
    refused(oip(R"({"inputs": [], "outputs": [{}]})"), Code::INVALID_ARGUMENT, "an output has no 'name'");
    refused(oip(R"({"inputs": [], "id": 7})"), Code::INVALID_ARGUMENT, "'id': must be text, got 7");
    refused(oip(R"({"inputs": [], "inputs": []})"), Code::INVALID_ARGUMENT, "the member 'inputs' twice");
    refused(oip(R"({"inputs": [{"name": "x"}]})"), Code::INVALID_ARGUMENT, "input 'x' has no 'datatype'");
    refused(oip(R"({"inputs": [{"name": "x", "datatype": "FP32"}]})"), Code::INVALID_ARGUMENT, "input 'x' has no 'shape'");
    refused(oip(R"({"inputs": [{"datatype": "FP32"}]})"), Code::INVALID_ARGUMENT, "an input has no 'name'");
    refused(oip(oip_input("FP8", "[1]", R"("data": [1])")), Code::INVALID_ARGUMENT,
            "'datatype' of input 'x': must be one of BOOL, UINT8");
    refused(oip(oip_input("FP32", "[1]", R"("data": 1)")), Code::INVALID_ARGUMENT, "'data' of input 'x': must be a list, got 1");
    refused(oip(R"({"inputs": [], "outputs": [{"name": "y"}, {"name": "y"}]})"), Code::INVALID_ARGUMENT,
            "output 'y' already exists in request");
    const std::string x = R"({"name": "x", "datatype": "FP32", "shape": [0], "data": []})";
    refused(oip(R"({"inputs": [)" + x + ", " + x + "]}"), Code::INVALID_ARGUMENT, "input 'x' already exists in request");
    CHECK_OK(oip(R"({"inputs": []})").status);
    Limits limits;
    limits.max_tensors = 1;
    refused(oip(R"({"inputs": [1, 2]})", limits), Code::LIMIT_EXCEEDED, "got 2 inputs: at most 1");
}

TEST("of the parameters some have a meaning, others tell requests apart, and those of Triton are refused") {
    const auto parameters = [](std::string_view text) {
        return oip(R"({"inputs": [], "parameters": )" + std::string(text) + "}");
    };
    const auto hash = [&](std::string_view text) {
        const OipDecoded decoded = parameters(text);
        CHECK_OK(decoded.status);
        return decoded.request.parameters;
    };
    CHECK_EQ(hash(R"({"sequence_id": 7, "sequence_start": true, "priority": 2, "timeout": 1500, "headers": {}})"), 0u);
    CHECK(hash(R"({"user_id": "u1"})") != 0);
    CHECK_EQ(hash(R"({"a": 1, "b": -2.5})"), hash(R"({"b": -2.5, "a": 1})"));
    CHECK(hash(R"({"a": 1, "b": 2})") != hash(R"({"a": 2, "b": 1})"));
    CHECK(hash(R"({"a": 1})") != hash(R"({"a": true})"));
    CHECK(parameters(R"({"binary_data_output": true})").request.wants_binary);
    const OipDecoded mixed =
        oip(R"({"outputs": [{"name": "y"}, {"name": "z", "parameters": {"binary_data": false}}], "inputs": [],
        "parameters": {"binary_data_output": true}})");
    CHECK_OK(mixed.status);
    CHECK(mixed.request.outputs[0].is_binary && !mixed.request.outputs[1].is_binary);
    refused(parameters(R"({"triton_x": 1})"), Code::INVALID_ARGUMENT, "parameter keys starting with 'triton_' are reserved");
    refused(parameters(R"({"a": []})"), Code::INVALID_ARGUMENT, "must be text, a number or a boolean, got a list of 0");
    refused(parameters(R"({"timeout": -1})"), Code::INVALID_ARGUMENT, "'timeout': must be an integer from 0, got -1");
    refused(parameters(R"({"priority": "high"})"), Code::INVALID_ARGUMENT, "'priority'");
    refused(parameters(R"({"binary_data_output": 1})"), Code::INVALID_ARGUMENT, "'binary_data_output': must be true or false");
    refused(parameters("7"), Code::INVALID_ARGUMENT, "'parameters': must be a map");
}

TEST("data may be nested a hundred deep, and no hostile depth is a danger") {
    const auto nested = [](size_t depth, const std::string& inner) {
        return oip(oip_input("FP32", "[1]", R"("data": )" + std::string(depth, '[') + inner + std::string(depth, ']')));
    };
    CHECK_OK(nested(100, "1").status);
    CHECK_OK(nested(100, "NaN").status);
    refused(nested(101, "1"), Code::LIMIT_EXCEEDED, "nested more than 100 deep");
    refused(nested(250'000, "1"), Code::LIMIT_EXCEEDED, "nested too deep");
    refused(oip(std::string(250'000, '[')), Code::LIMIT_EXCEEDED, "nested too deep");
    refused(oip(std::string(250'000, '{')), Code::INVALID_BODY, "expected a name in double quotes");
}

TEST("what is no JSON is told with its place") {
    const auto fault = [](std::string_view text, std::string_view part) { refused(oip(text), Code::INVALID_BODY, part); };
    fault(R"({"inputs": []} x)", "expected the end: one value is the whole text at 15");
    fault(R"({"inputs": [1,]})", "expected a value at 14");
    fault(R"({"inputs" [1]})", "expected ':' at 10");
    fault(R"({inputs: [1]})", "expected a name in double quotes at 1");
    fault(R"({"inputs": [1})", "expected ',' or ']' at 13");
    fault(R"({"inputs": [01]})", "expected ',' or ']' at 13");
    fault(R"({"inputs": [1.]})", "expected a digit behind the point at 14");
    fault(R"({"inputs": "a)", "expected the closing quote of a text at 13");
    fault("{\"inputs\": \"\xff\"}", "a byte that is not UTF-8 at 12");
    fault("{\"inputs\": \"\n\"}", "a control character that must be escaped at 12");
    fault(R"({"inputs": "\x"})", "an escape sequence that JSON does not have at 12");
    fault(R"({"inputs": "\u12G4"})", "four hexadecimal digits at 12");
    fault(R"({"inputs": [1e999]})", "a number is too large");
}

TEST("the door finds timeout, priority and id without decoding the body") {
    const auto urgency = peek_urgency(R"({"inputs": [{"data": ["}", "\"timeout\": 1"], "parameters": {"timeout": 3}}],
        "parameters" : { "timeout" : 1500, "other": {"priority": 7}, "priority": 12 } })");
    CHECK_EQ(urgency.timeout_us, 1500u);
    CHECK_EQ(static_cast<int>(urgency.priority), 9);
    CHECK_EQ(peek_urgency(R"({"parameters": {"timeout": -5, "priority": "1"}})").timeout_us, 0u);
    CHECK_EQ(peek_urgency(R"({"timeout": 5})").timeout_us, 0u);
    CHECK_EQ(peek_id(R"({"inputs": [{"id": "no"}], "id": "a\"\u00e9"})").value_or("none"), "a\"é");
    CHECK_EQ(peek_id(R"({"id": "plain"})").value_or("none"), "plain");
    for (const char* text :
         {"", "{", "{\"", "{\"id", "{\"id\"", "{\"id\":", "{\"id\": 7}", "{\"id\":\"", "[\"id\"]", "\"id\"", "{\"i\": \"id\"}"})
        CHECK(!peek_id(text).has_value());
}

}  // namespace
}  // namespace rankd::wire
