// Protocol Buffers' wire format, as much of it as ONNX files need: read without copying, written field by field.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace rankd::graph {

using Bytes = std::span<const uint8_t>;

/// One field of a message. `bytes` is the payload of a length-delimited field, `whole` the field with its tag, to be copied as it
/// is.
struct ProtoField {
    uint32_t number = 0;
    uint32_t wire_type = 0;
    uint64_t integer = 0;  ///< varint, fixed32, fixed64
    Bytes bytes;
    Bytes whole;

    std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

constexpr uint32_t kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;

class ProtoReader {
  public:
    explicit ProtoReader(Bytes bytes) : bytes_(bytes) {}

    /// The next field; false at the end, and at bytes that are no message (`is_malformed` tells).
    bool next(ProtoField& field) {
        if (at_ == bytes_.size() || is_malformed_) return false;
        const size_t start = at_;
        uint64_t tag = 0;
        if (!read_varint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return fail();
        field = {static_cast<uint32_t>(tag >> 3), static_cast<uint32_t>(tag & 7), 0, {}, {}};
        if (!read_payload(field)) return fail();
        field.whole = bytes_.subspan(start, at_ - start);
        return true;
    }
    bool is_malformed() const { return is_malformed_; }

    bool read_varint(uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
            const uint8_t byte = bytes_[at_++];
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return true;
        }
        return false;
    }
    bool at_end() const { return at_ == bytes_.size(); }

  private:
    bool fail() {
        is_malformed_ = true;
        return false;
    }
    bool read_payload(ProtoField& field) {
        uint64_t length = 0;
        switch (field.wire_type) {
            case kVarint:
                return read_varint(field.integer);
            case kFixed64:
                return read_fixed(field, 8);
            case kFixed32:
                return read_fixed(field, 4);
            case kLengthDelimited:
                if (!read_varint(length) || length > bytes_.size() - at_) return false;
                field.bytes = bytes_.subspan(at_, length);
                at_ += length;
                return true;
            default:
                return false;
        }
    }
    bool read_fixed(ProtoField& field, size_t size) {
        if (bytes_.size() - at_ < size) return false;
        std::memcpy(&field.integer, bytes_.data() + at_, size);
        at_ += size;
        return true;
    }

    Bytes bytes_;
    size_t at_ = 0;
    bool is_malformed_ = false;
};

class ProtoWriter {
  public:
    void integer(uint32_t number, uint64_t value) {
        varint(static_cast<uint64_t>(number) << 3 | kVarint);
        varint(value);
    }
    void text(uint32_t number, std::string_view value) {
        bytes(number, {reinterpret_cast<const uint8_t*>(value.data()), value.size()});
    }
    void message(uint32_t number, const ProtoWriter& value) { text(number, value.out_); }
    void bytes(uint32_t number, Bytes value) {
        varint(static_cast<uint64_t>(number) << 3 | kLengthDelimited);
        varint(value.size());
        raw(value);
    }
    /// Bytes that are fields already.
    void raw(Bytes value) { out_.append(reinterpret_cast<const char*>(value.data()), value.size()); }

    const std::string& str() const { return out_; }

  private:
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
        out_.push_back(static_cast<char>(value));
    }

    std::string out_;
};

}  // namespace rankd::graph
