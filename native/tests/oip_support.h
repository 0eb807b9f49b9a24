// Bodies of the Open Inference Protocol for tests: decoded ones, and what is in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/wire_support.h"
#include "wire/request.h"

namespace rankd::test {

/// A body after decoding, with all that its request looks at.
struct OipDecoded {
    OipDecoded(std::span<const uint8_t> bytes, uint32_t json_bytes, const wire::Limits& limits = {})
        : body(wire::Codec::kOip, bytes) {
        wire::RequestDecoder decoder(limits);
        status = decoder.decode(wire::Operation::kInfer, wire::Codec::kOip, body.bytes(), arena, request, {json_bytes, "m"});
    }
    GuardedBody body;
    Arena arena;
    wire::Request request;
    Status status;
};

inline OipDecoded oip(std::string_view json, const wire::Limits& limits = {}) {
    return OipDecoded(from_text(json), wire::kAllJson, limits);
}
/// JSON with bytes behind it.
inline OipDecoded oip_binary(std::string_view json, const Bytes& binary) {
    Bytes body = from_text(json);
    body.insert(body.end(), binary.begin(), binary.end());
    return OipDecoded(body, static_cast<uint32_t>(json.size()));
}
/// One input named x.
inline std::string oip_input(std::string_view datatype, std::string_view shape, std::string_view rest) {
    return R"({"inputs": [{"name": "x", "datatype": ")" + std::string(datatype) + R"(", "shape": )" + std::string(shape) + ", " +
           std::string(rest) + "}]}";
}

inline std::string text_of(const ByteBuffer& buffer) {
    return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}

template <typename T>
std::vector<T> elements_of(const wire::NamedTensor& tensor) {
    std::vector<T> values(tensor.data.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(T));
    return values;
}

}  // namespace rankd::test
