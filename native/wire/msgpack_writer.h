// Writes msgpack in its smallest forms straight into a byte buffer; the mate of JsonWriter.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/utf8.h"

namespace rankd::wire {

class MsgpackWriter {
  public:
    explicit MsgpackWriter(ByteBuffer& out) : out_(out) {}

    void nil() { out_.push(0xc0); }
    void boolean(bool value) { out_.push(value ? 0xc3 : 0xc2); }

    void integer(uint64_t value) {
        if (value <= 0x7f) return out_.push(static_cast<uint8_t>(value));
        if (value <= UINT8_MAX) return lead_and_number<uint8_t>(0xcc, value);
        if (value <= UINT16_MAX) return lead_and_number<uint16_t>(0xcd, value);
        if (value <= UINT32_MAX) return lead_and_number<uint32_t>(0xce, value);
        lead_and_number<uint64_t>(0xcf, value);
    }

    void number(float value) { lead_and_number<uint32_t>(0xca, std::bit_cast<uint32_t>(value)); }

    void text(std::string_view value) {
        const size_t size = value.size();
        if (size <= 31) {
            out_.push(static_cast<uint8_t>(0xa0 | size));
        } else if (size <= UINT8_MAX) {
            lead_and_number<uint8_t>(0xd9, size);
        } else if (size <= UINT16_MAX) {
            lead_and_number<uint16_t>(0xda, size);
        } else {
            lead_and_number<uint32_t>(0xdb, size);
        }
        if (size > 0) out_.append(value);
    }
    /// Text that may quote a caller: strict decoders refuse a whole frame for one broken byte.
    void prose(std::string_view value) { text(to_valid_utf8(value)); }
    void key(std::string_view name) { text(name); }

    /// One binary of float32, little-endian as this machine holds them.
    void numbers(std::span<const float> values) { binary(values.data(), values.size_bytes()); }

    void binary(const void* data, size_t bytes) {
        if (bytes <= UINT8_MAX) {
            lead_and_number<uint8_t>(0xc4, bytes);
        } else if (bytes <= UINT16_MAX) {
            lead_and_number<uint16_t>(0xc5, bytes);
        } else {
            lead_and_number<uint32_t>(0xc6, bytes);
        }
        if (bytes > 0) out_.append(data, bytes);
    }

    void begin_list(size_t count) { container(0x90, 0xdc, count); }
    void end_list() {}
    void begin_map(size_t count) { container(0x80, 0xde, count); }
    void end_map() {}

  private:
    static_assert(std::endian::native == std::endian::little, "floats are written as they lie in memory");

    template <typename T>
    void lead_and_number(uint8_t lead, uint64_t value) {
        uint8_t* at = out_.extend(1 + sizeof(T));
        *at = lead;
        for (size_t i = 0; i < sizeof(T); ++i) at[1 + i] = static_cast<uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
    }

    void container(uint8_t small, uint8_t large, size_t count) {
        if (count <= 15) return out_.push(static_cast<uint8_t>(small | count));
        if (count <= UINT16_MAX) return lead_and_number<uint16_t>(large, count);
        lead_and_number<uint32_t>(static_cast<uint8_t>(large + 1), count);
    }

    ByteBuffer& out_;
};

}  // namespace rankd::wire
