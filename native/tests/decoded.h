// Decoded bodies for the tests of requests, in both codecs.
#pragma once

#include "tests/test.h"
#include "tests/wire_support.h"
#include "wire/request.h"

namespace rankd::test {

using namespace wire;

/// Decodes with its own arena, and keeps body and arena alive for the views of the request.
struct Decoded {
    Decoded(Operation operation, Codec codec, std::span<const uint8_t> bytes, const Limits& limits = {}) : body(codec, bytes) {
        RequestDecoder decoder(limits);
        status = decoder.decode(operation, codec, body.bytes(), arena, request);
    }
    GuardedBody body;
    Arena arena;
    Request request;
    Status status;
};

inline Decoded json(Operation operation, std::string_view text, const Limits& limits = {}) {
    return Decoded(operation, Codec::kJson, from_text(text), limits);
}
inline Decoded msgpack(Operation operation, const Bytes& bytes, const Limits& limits = {}) {
    return Decoded(operation, Codec::kMsgpack, bytes, limits);
}
inline Status json_status(Operation operation, std::string_view text, const Limits& limits = {}) {
    return json(operation, text, limits).status;
}

/// A map of one member: `key`, then the value given as hex.
inline Bytes one_field(std::string_view key, std::string_view value_hex) {
    Bytes bytes = pack([&](MsgpackWriter& w) { w.begin_map(1), w.key(key); });
    const Bytes value = from_hex(value_hex);
    bytes.insert(bytes.end(), value.begin(), value.end());
    return bytes;
}

}  // namespace rankd::test
