// Answers of the Open Inference Protocol: the order of keys, which outputs are binary, words for what is not finite, errors.
#include "wire/oip_answer.h"

#include <limits>

#include "tests/oip_support.h"
#include "tests/test.h"

namespace rankd::wire {
namespace {

template <typename T, size_t kCount>
std::span<const uint8_t> bytes(const T (&values)[kCount]) {
    return {reinterpret_cast<const uint8_t*>(values), sizeof(values)};
}

struct Encoded {
    Encoded(const Request& request, std::span<const NamedTensor> outputs) {
        Answer answer;
        answer.model = "simple";
        answer.version = "3";
        answer.request = &request;
        answer.outputs = outputs;
        out.append("before");
        json_bytes = encode_oip_answer(answer, out);
        text = test::text_of(out).substr(6);
    }
    ByteBuffer out;
    uint32_t json_bytes;
    std::string text;
};

const int64_t kTwo[] = {1, 2};
const int64_t kNone[] = {0};
const int32_t kIntegers[] = {-1, 2};
const float kFloats[] = {0.1f, -0.0f};
const NamedTensor kOutputs[] = {{"y", ElementType::kI32, kTwo, bytes(kIntegers)}, {"z", ElementType::kF32, kTwo, bytes(kFloats)}};

TEST("an OIP answer in JSON has the keys in Triton's order and its id only when one came") {
    Request request;
    CHECK_EQ(
        Encoded(request, kOutputs).text,
        R"({"model_name":"simple","model_version":"3","outputs":[{"name":"y","datatype":"INT32","shape":[1,2],"data":[-1,2]},)"
        R"({"name":"z","datatype":"FP32","shape":[1,2],"data":[0.1,-0.0]}]})");
    request.has_id = true;
    request.id = "a\"b";
    const Encoded with_id(request, {});
    CHECK_EQ(with_id.text, R"({"id":"a\"b","model_name":"simple","model_version":"3","outputs":[]})");
    CHECK_EQ(with_id.json_bytes, 0u);
}

TEST("outputs that are wanted as bytes stand behind the JSON, whose length is told") {
    const WantedOutput wanted[] = {{"y", true, 0}, {"z", false, 0}};
    Request request;
    request.outputs = wanted;
    const Encoded mixed(request, kOutputs);
    const std::string json =
        R"({"model_name":"simple","model_version":"3","outputs":[{"name":"y","datatype":"INT32","shape":[1,2],"parameters":)"
        R"({"binary_data_size":8}},{"name":"z","datatype":"FP32","shape":[1,2],"data":[0.1,-0.0]}]})";
    CHECK_EQ(mixed.json_bytes, json.size());
    CHECK_EQ(mixed.text, json + std::string("\xff\xff\xff\xff\x02\0\0\0", 8));
    Request all;
    all.wants_binary = true;
    const Encoded binary(all, kOutputs);
    CHECK_EQ(binary.text.size(), binary.json_bytes + 16);
    CHECK(test::contains(binary.text, R"("name":"z","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]})"));
}

TEST("binary outputs without a byte leave an answer that is all JSON") {
    Request request;
    request.wants_binary = true;
    const NamedTensor empty[] = {{"y", ElementType::kF32, kNone, {}}};
    const Encoded encoded(request, empty);
    CHECK_EQ(encoded.json_bytes, 0u);
    CHECK(test::contains(encoded.text, R"("shape":[0],"parameters":{"binary_data_size":0}}]})"));
}

TEST("what is not finite stands as a bare word, and numbers are the shortest that read back the same") {
    using Float = std::numeric_limits<float>;
    const float floats[] = {Float::quiet_NaN(), Float::infinity(), -Float::infinity(), 16777216.0f, 1e-45f};
    const double doubles[] = {0.1, 1.0 / 3};
    const uint64_t large[] = {UINT64_MAX, 9007199254740993u};
    const uint8_t truths[] = {1, 0}, texts[] = {2, 0, 0, 0, 'a', '"', 0, 0, 0, 0};
    const int64_t five[] = {5}, two[] = {2};
    const NamedTensor outputs[] = {{"f", ElementType::kF32, five, bytes(floats)},
                                   {"d", ElementType::kF64, two, bytes(doubles)},
                                   {"u", ElementType::kU64, two, bytes(large)},
                                   {"b", ElementType::kBool, two, bytes(truths)},
                                   {"t", ElementType::kBytes, two, bytes(texts)}};
    const std::string text = Encoded(Request{}, outputs).text;
    for (const char* part :
         {R"("data":[NaN,Infinity,-Infinity,16777216,1e-45])", R"("data":[0.1,0.3333333333333333])",
          R"("data":[18446744073709551615,9007199254740993])", R"("data":[true,false])", R"("data":["a\"",""])"})
        CHECK(test::contains(text, part));
}

TEST("what JSON cannot carry is refused before it is written") {
    const uint16_t halves[] = {0x3c00};
    const uint8_t broken[] = {1, 0, 0, 0, 0xff};
    const int64_t one[] = {1};
    const NamedTensor half[] = {{"h", ElementType::kF16, one, bytes(halves)}},
                      text[] = {{"t", ElementType::kBytes, one, bytes(broken)}};
    Request json, binary;
    binary.wants_binary = true;
    CHECK_FAILS(check_oip_outputs(json, half), Code::INVALID_ARGUMENT,
                "sending FP16 output 'h' via JSON is not supported. Please use the binary data format");
    CHECK_FAILS(check_oip_outputs(json, text), Code::INVALID_ARGUMENT, "BYTES output 't'");
    CHECK_OK(check_oip_outputs(binary, half));
    CHECK_OK(check_oip_outputs(binary, text));
    CHECK_OK(check_oip_outputs(json, kOutputs));
}

TEST("an OIP error begins with the caller's id") {
    const auto encoded = [](std::optional<std::string> id, const Status& status) {
        ByteBuffer out;
        encode_oip_error(Id::of("req-1"), id, status, out);
        return test::text_of(out);
    };
    CHECK_EQ(
        encoded("a\"b", {Code::UNKNOWN_MODEL, "Request for unknown model: 'm' is not found"}),
        R"({"error":"[request id: a\"b] Request for unknown model: 'm' is not found","code":"UNKNOWN_MODEL","request_id":"req-1"})");
    CHECK_EQ(
        encoded({}, Status::overloaded("Exceeds maximum queue size", 20)),
        R"({"error":"[request id: <id_unknown>] Exceeds maximum queue size","code":"OVERLOADED","request_id":"req-1","retry_after_ms":20})");
    CHECK(test::contains(encoded({}, {Code::DEADLINE_EXCEEDED, "x"}), "Request timeout expired: x"));
}

}  // namespace
}  // namespace rankd::wire
