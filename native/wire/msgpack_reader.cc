#include "wire/msgpack_reader.h"

#include <bit>
#include <type_traits>

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

/// A big-endian number; compilers make one load and one byte swap of the loop.
template <typename T>
inline bool MsgpackReader::read_number(T& number) {
    const uint8_t* at = take(sizeof(T));
    if (at == nullptr) return false;
    std::make_unsigned_t<T> bits = 0;
    for (size_t i = 0; i < sizeof(T); ++i) bits = static_cast<decltype(bits)>(bits << 8 | at[i]);
    number = static_cast<T>(bits);
    return true;
}

inline bool MsgpackReader::set_integer(int64_t number, MsgpackValue& value) {
    value.type_ = number < 0 ? ValueType::kNegative : ValueType::kUnsigned;
    value.integer_ = static_cast<uint64_t>(number);
    return true;
}

inline bool MsgpackReader::set_boolean(bool is_true, MsgpackValue& value) {
    value.type_ = ValueType::kBool;
    value.integer_ = is_true ? 1 : 0;
    return true;
}

template <typename T>
inline bool MsgpackReader::read_integer(MsgpackValue& value) {
    T number;
    if (!read_number(number)) return false;
    if constexpr (std::is_signed_v<T>) return set_integer(number, value);
    value.type_ = ValueType::kUnsigned;
    value.integer_ = static_cast<uint64_t>(number);
    return true;
}

template <typename T, typename Bits>
inline bool MsgpackReader::read_float(MsgpackValue& value) {
    Bits bits;
    if (!read_number(bits)) return false;
    value.float_ = double{std::bit_cast<T>(bits)};
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

/// A value behind whose lead byte stands its size or count.
template <typename T>
inline bool MsgpackReader::read_sized(ValueType type, MsgpackValue& value) {
    T size;
    if (!read_number(size)) return false;
    const bool is_container = type == ValueType::kList || type == ValueType::kMap;
    return is_container ? read_container(type, size, value) : read_bytes(type, size, value);
}

/// @param length_bytes  width of the length that stands before the extension's type; 0 for the fixed lengths
bool MsgpackReader::read_extension(size_t length_bytes) {
    if (remaining() < length_bytes + 1) return fail_truncated(length_bytes + 1);
    return fail_extension(static_cast<int8_t>(at_[length_bytes]));
}

bool MsgpackReader::next(MsgpackValue& value) {
    if (at_ == end_) [[unlikely]]
        return fail_truncated(1);
    const uint8_t lead = *at_++;
    if (lead <= 0x7f) return set_integer(lead, value);
    if (lead <= 0x8f) return read_container(ValueType::kMap, lead & 0x0f, value);
    if (lead <= 0x9f) return read_container(ValueType::kList, lead & 0x0f, value);
    if (lead <= 0xbf) return read_bytes(ValueType::kText, lead & 0x1f, value);
    if (lead >= 0xe0) return set_integer(static_cast<int8_t>(lead), value);
    return next_by_lead(lead, value);
}

/// The types that are one lead byte each, 0xc0 to 0xdf.
bool MsgpackReader::next_by_lead(uint8_t lead, MsgpackValue& value) {
    // clang-format off
    switch (lead) {
        case 0xc0: value.type_ = ValueType::kNil; return true;
        case 0xc2: return set_boolean(false, value);
        case 0xc3: return set_boolean(true, value);
        case 0xc4: return read_sized<uint8_t>(ValueType::kBinary, value);
        case 0xc5: return read_sized<uint16_t>(ValueType::kBinary, value);
        case 0xc6: return read_sized<uint32_t>(ValueType::kBinary, value);
        case 0xc7: return read_extension(1);
        case 0xc8: return read_extension(2);
        case 0xc9: return read_extension(4);
        case 0xca: return read_float<float, uint32_t>(value);
        case 0xcb: return read_float<double, uint64_t>(value);
        case 0xcc: return read_integer<uint8_t>(value);
        case 0xcd: return read_integer<uint16_t>(value);
        case 0xce: return read_integer<uint32_t>(value);
        case 0xcf: return read_integer<uint64_t>(value);
        case 0xd0: return read_integer<int8_t>(value);
        case 0xd1: return read_integer<int16_t>(value);
        case 0xd2: return read_integer<int32_t>(value);
        case 0xd3: return read_integer<int64_t>(value);
        case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return read_extension(0);
        case 0xd9: return read_sized<uint8_t>(ValueType::kText, value);
        case 0xda: return read_sized<uint16_t>(ValueType::kText, value);
        case 0xdb: return read_sized<uint32_t>(ValueType::kText, value);
        case 0xdc: return read_sized<uint16_t>(ValueType::kList, value);
        case 0xdd: return read_sized<uint32_t>(ValueType::kList, value);
        case 0xde: return read_sized<uint16_t>(ValueType::kMap, value);
        case 0xdf: return read_sized<uint32_t>(ValueType::kMap, value);
        default: return fail(malformed_, concat("0xc1 at byte ", position() - 1, " is not a msgpack type"));
    }
    // clang-format on
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
