// Bytes for the tests of the wire ring: from hex digits, from text, from a msgpack writer.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "wire/msgpack_writer.h"
#include "wire/request.h"

namespace rankd::test {

using Bytes = std::vector<uint8_t>;

/// "98 01 a1" without regard to blanks.
inline Bytes from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    Bytes bytes;
    int high = -1;
    for (const char c : hex) {
        if (c == ' ') continue;
        if (high < 0) {
            high = digit(c);
        } else {
            bytes.push_back(static_cast<uint8_t>(high * 16 + digit(c)));
            high = -1;
        }
    }
    return bytes;
}

inline std::string concat_hex(std::initializer_list<std::string_view> parts) {
    std::string hex;
    for (const std::string_view part : parts) hex.append(part);
    return hex;
}

inline Bytes from_text(std::string_view text) {
    return {text.begin(), text.end()};
}

/// What `write(MsgpackWriter&)` writes.
template <typename Write>
Bytes pack(Write&& write) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    write(writer);
    return {buffer.bytes().begin(), buffer.bytes().end()};
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// A body copied where the sanitizers see every byte read past its end; JSON gets the padding it asks for.
struct GuardedBody {
    GuardedBody(wire::Codec codec, std::span<const uint8_t> body) : size(body.size()) {
        const size_t padding = codec == wire::Codec::kMsgpack ? 0 : wire::kBodyPadding;
        storage = std::make_unique<uint8_t[]>(size + padding);
        if (size > 0) std::memcpy(storage.get(), body.data(), size);
    }
    std::span<const uint8_t> bytes() const { return {storage.get(), size}; }

    std::unique_ptr<uint8_t[]> storage;
    size_t size;
};

}  // namespace rankd::test

/// A failed status of this code whose message holds these words.
#define CHECK_FAILS(status, expected_code, part)                                              \
    do {                                                                                      \
        const ::rankd::Status check_failed = (status);                                        \
        CHECK_EQ(::rankd::code_name(check_failed.code()), ::rankd::code_name(expected_code)); \
        if (!::rankd::test::contains(check_failed.message(), part))                           \
            ::rankd::test::fail(__FILE__, __LINE__, "message is: " + check_failed.message()); \
    } while (false)
