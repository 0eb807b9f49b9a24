#include "wire/msgpack_reader.h"

#include <bit>
#include <cstring>

#include "wire/describe.h"

namespace rankd::wire {

bool MsgpackReader::fail(Code code, std::string message) {
    *failure_ = Status(code, std::move(message));
    return false;
}

bool MsgpackReader::fail_truncated(size_t needed) {
    return fail(malformed_, concat("msgpack ends too early: ", needed, needed == 1 ? " byte" : " bytes", " expected at byte ",
                                   position(), ", ", remaining(), " left"));
}

/// Our clients are mostly msgpackr; what it writes by default deserves advice, not just a number.
bool MsgpackReader::fail_extension(int8_t type) {
    const size_t at = position() - 1;  // the byte that started the extension
    const auto unsupported = [&](const auto&... parts) { return fail(Code::UNSUPPORTED_EXTENSION, concat(parts...)); };
    switch (type) {
        case 'r':
            return unsupported("msgpackr record extension found at byte ", at, ": create the Packr with {useRecords: false}");
        case 't':
            return unsupported("msgpackr typed array found at byte ", at,
                               ": send tensors as a byte view: new Uint8Array(a.buffer, a.byteOffset, a.byteLength)");
        case 'b':
            return unsupported("msgpackr string bundle found at byte ", at, ": create the Packr without bundleStrings");
        case 0:
            return unsupported("msgpack extension type 0 found at byte ", at,
                               ": msgpackr writes undefined so; leave the field out or send null");
        case -1:
            return unsupported("msgpack timestamp (extension type -1) found at byte ", at, ": send times as numbers");
        default:
            return unsupported("msgpack extension type ", int{type}, " found at byte ", at, ": no field takes an extension");
    }
}

inline const uint8_t* MsgpackReader::take(size_t bytes) {
    if (remaining() < bytes) [[unlikely]] {
        fail_truncated(bytes);
        return nullptr;
    }
    const uint8_t* at = at_;
    at_ += bytes;
    return at;
}

inline bool MsgpackReader::read_unsigned(size_t bytes, uint64_t& number) {
    const uint8_t* at = take(bytes);
    if (at == nullptr) return false;
    number = 0;
    for (size_t i = 0; i < bytes; ++i) number = number << 8 | at[i];
    return true;
}

bool MsgpackReader::read_integer(size_t bytes, bool is_signed, MsgpackValue& value) {
    if (!read_unsigned(bytes, value.integer_)) return false;
    const uint64_t sign_bit = uint64_t{1} << (8 * bytes - 1);
    const bool is_negative = is_signed && (value.integer_ & sign_bit) != 0;
    if (is_negative) value.integer_ |= ~(sign_bit - 1);
    value.type_ = is_negative ? ValueType::kNegative : ValueType::kUnsigned;
    return true;
}

bool MsgpackReader::read_float(size_t bytes, MsgpackValue& value) {
    uint64_t bits;
    if (!read_unsigned(bytes, bits)) return false;
    value.float_ = bytes == 4 ? double{std::bit_cast<float>(static_cast<uint32_t>(bits))} : std::bit_cast<double>(bits);
    value.type_ = ValueType::kFloat;
    return true;
}

inline bool MsgpackReader::read_bytes(ValueType type, size_t size, MsgpackValue& value) {
    value.type_ = type;
    value.size_ = size;
    value.data_ = take(size);
    return value.data_ != nullptr;
}

inline bool MsgpackReader::read_container(ValueType type, size_t count, MsgpackValue& value) {
    const bool is_map = type == ValueType::kMap;
    // Each child takes at least one byte, so that a count can be trusted for allocation once it passed here.
    if (count > remaining() / (is_map ? 2 : 1)) [[unlikely]] {
        return fail(malformed_, concat(is_map ? "a map of " : "a list of ", count, is_map ? " entries" : " elements", " at byte ",
                                       position(), " cannot fit in the ", remaining(), " bytes left"));
    }
    value.type_ = type;
    value.size_ = count;
    value.reader_ = this;
    return true;
}

/// Types whose size or count stands behind the lead byte, in 1, 2 or 4 bytes.
bool MsgpackReader::read_sized(uint8_t lead, MsgpackValue& value) {
    uint64_t size;
    switch (lead) {
        case 0xc4:
        case 0xc5:
        case 0xc6:
            return read_unsigned(size_t{1} << (lead - 0xc4), size) && read_bytes(ValueType::kBinary, size, value);
        case 0xd9:
        case 0xda:
        case 0xdb:
            return read_unsigned(size_t{1} << (lead - 0xd9), size) && read_bytes(ValueType::kText, size, value);
        case 0xdc:
        case 0xdd:
            return read_unsigned(size_t{2} << (lead - 0xdc), size) && read_container(ValueType::kList, size, value);
        default:
            return read_unsigned(size_t{2} << (lead - 0xde), size) && read_container(ValueType::kMap, size, value);
    }
}

bool MsgpackReader::next(MsgpackValue& value) {
    if (at_ == end_) [[unlikely]]
        return fail_truncated(1);
    const uint8_t lead = *at_++;
    if (lead <= 0x7f) {
        value.type_ = ValueType::kUnsigned;
        value.integer_ = lead;
        return true;
    }
    if (lead <= 0x8f) return read_container(ValueType::kMap, lead & 0x0f, value);
    if (lead <= 0x9f) return read_container(ValueType::kList, lead & 0x0f, value);
    if (lead <= 0xbf) return read_bytes(ValueType::kText, lead & 0x1f, value);
    if (lead >= 0xe0) {
        value.type_ = ValueType::kNegative;
        value.integer_ = static_cast<uint64_t>(int64_t{static_cast<int8_t>(lead)});
        return true;
    }
    switch (lead) {
        case 0xc0:
            value.type_ = ValueType::kNil;
            return true;
        case 0xc1:
            --at_;
            return fail(malformed_, concat("0xc1 at byte ", position(), " is not a msgpack type"));
        case 0xc2:
        case 0xc3:
            value.type_ = ValueType::kBool;
            value.integer_ = lead & 1;
            return true;
        case 0xca:
        case 0xcb:
            return read_float(size_t{4} << (lead - 0xca), value);
        case 0xcc:
        case 0xcd:
        case 0xce:
        case 0xcf:
            return read_integer(size_t{1} << (lead - 0xcc), false, value);
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:
            return read_integer(size_t{1} << (lead - 0xd0), true, value);
        case 0xc7:
        case 0xc8:
        case 0xc9:
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8: {
            const size_t length_bytes = lead >= 0xd4 ? 0 : size_t{1} << (lead - 0xc7);
            if (remaining() < length_bytes + 1) return fail_truncated(length_bytes + 1);
            return fail_extension(static_cast<int8_t>(at_[length_bytes]));
        }
        default:
            return read_sized(lead, value);
    }
}

bool MsgpackReader::next_key(std::string_view& key) {
    const size_t at = position();
    MsgpackValue value;
    if (!next(value)) return false;
    if (value.type() != ValueType::kText) {
        return fail(Code::INVALID_ARGUMENT, concat("the keys of a map must be text, got ", describe(value), " at byte ", at));
    }
    key = value.text();
    return true;
}

bool MsgpackReader::skip(uint32_t max_depth) {
    const size_t at = position();
    MsgpackValue value;
    if (!next(value)) return false;
    if (value.type() != ValueType::kList && value.type() != ValueType::kMap) return true;
    if (max_depth == 0) return fail(Code::LIMIT_EXCEEDED, concat("maps and lists are nested too deep at byte ", at));
    const size_t children = value.type() == ValueType::kMap ? 2 * value.size() : value.size();
    for (size_t i = 0; i < children; ++i) {
        if (!skip(max_depth - 1)) return false;
    }
    return true;
}

Status check_no_record(std::span<const uint8_t> bytes, size_t start) {
    const bool is_reference = start + 1 < bytes.size() && bytes[start] >= 0x40 && bytes[start] <= 0x7f;
    if (!is_reference) return Status::ok();
    return Status(Code::UNSUPPORTED_EXTENSION,
                  concat("the body looks like a msgpackr record at byte ", start, ": create the Packr with {useRecords: false}"));
}

}  // namespace rankd::wire
