// A bounds-checked cursor over msgpack bytes. Nothing is copied or allocated; a hostile count is refused before anyone trusts it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/status.h"
#include "wire/value.h"

namespace rankd::wire {

class MsgpackReader;

/// One value, or the header of a container whose children the reader stands before. See `WireValue`.
class MsgpackValue {
  public:
    static constexpr std::string_view kNilWord = "nil";
    static std::string_view keep(std::string_view text, Arena&) { return text; }

    ValueType type() const { return type_; }
    bool boolean() const { return integer_ != 0; }
    uint64_t integer() const { return integer_; }
    int64_t negative() const { return static_cast<int64_t>(integer_); }
    double number() const {
        if (type_ == ValueType::kFloat) return float_;
        return type_ == ValueType::kUnsigned ? static_cast<double>(integer_) : static_cast<double>(negative());
    }
    std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
    std::span<const uint8_t> binary() const { return {data_, size_}; }
    size_t size() const { return size_; }

    template <typename Visitor>
    bool for_each_element(Visitor&& visit) const;
    template <typename Visitor>
    bool for_each_member(Visitor&& visit) const;

  private:
    friend class MsgpackReader;
    MsgpackReader* reader_ = nullptr;
    const uint8_t* data_ = nullptr;
    size_t size_ = 0;  ///< bytes of text and binary, children of containers
    union {
        uint64_t integer_ = 0;
        double float_;
    };
    ValueType type_ = ValueType::kNil;
};

class MsgpackReader {
  public:
    /// @param malformed  the code of bytes that are not msgpack: INVALID_FRAME or INVALID_BODY
    /// @param failure    receives the first error of this reader
    MsgpackReader(std::span<const uint8_t> bytes, Code malformed, Status& failure)
        : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()), malformed_(malformed), failure_(&failure) {}

    /// Reads a scalar, or the header of a container. False when the bytes end, are no msgpack, or hold an extension.
    bool next(MsgpackValue& value);
    /// Reads the key of a map's member; keys are text.
    bool next_key(std::string_view& key);
    /// Passes one whole value, checking that it is well-formed and nested at most `max_depth` deep.
    bool skip(uint32_t max_depth);

    size_t position() const { return static_cast<size_t>(at_ - begin_); }
    size_t remaining() const { return static_cast<size_t>(end_ - at_); }

  private:
    bool fail(Code code, std::string message);
    bool fail_truncated(size_t needed);
    bool fail_extension(int8_t type);

    /// The next `bytes` bytes, or null after an error.
    const uint8_t* take(size_t bytes);
    template <typename T>
    bool read_number(T& number);

    bool next_by_lead(uint8_t lead, MsgpackValue& value);
    bool set_integer(int64_t number, MsgpackValue& value);
    bool set_boolean(bool is_true, MsgpackValue& value);
    template <typename T>
    bool read_integer(MsgpackValue& value);
    template <typename T, typename Bits>
    bool read_float(MsgpackValue& value);
    template <typename T>
    bool read_sized(ValueType type, MsgpackValue& value);
    bool read_bytes(ValueType type, size_t size, MsgpackValue& value);
    bool read_container(ValueType type, size_t count, MsgpackValue& value);
    bool read_extension(size_t length_bytes);

    const uint8_t* begin_;
    const uint8_t* at_;
    const uint8_t* end_;
    Code malformed_;
    Status* failure_;
};

template <typename Visitor>
bool MsgpackValue::for_each_element(Visitor&& visit) const {
    MsgpackValue element;
    for (size_t i = 0; i < size_; ++i) {
        if (!reader_->next(element) || !visit(std::as_const(element))) return false;
    }
    return true;
}

template <typename Visitor>
bool MsgpackValue::for_each_member(Visitor&& visit) const {
    std::string_view key;
    MsgpackValue value;
    for (size_t i = 0; i < size_; ++i) {
        if (!reader_->next_key(key) || !reader_->next(value) || !visit(key, std::as_const(value))) return false;
    }
    return true;
}

/// msgpackr names a record that it has defined in an earlier message by one byte, and writes its values behind it: read as plain
/// msgpack that is a small integer with bytes after it. UNSUPPORTED_EXTENSION when the value at `start` looks so.
Status check_no_record(std::span<const uint8_t> bytes, size_t start);

static_assert(WireValue<MsgpackValue>);

}  // namespace rankd::wire
