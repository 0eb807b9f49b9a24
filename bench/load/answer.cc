#include "answer.h"

#include <algorithm>
#include <optional>

#include "base/status.h"
#include "wire/msgpack_reader.h"

namespace rankd::load {
namespace {

constexpr uint64_t kElements = 6;
constexpr uint64_t kVersion = 1;
constexpr uint32_t kMaxDepth = 32;
constexpr uint32_t kLongestAdviceMs = 86'400'000;

/// A sixteenth of the work of the general reader: the marks that servers write for small numbers.
class Cursor {
  public:
    explicit Cursor(std::span<const uint8_t> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    std::optional<uint64_t> unsigned_integer() {
        if (at_ == end_) return std::nullopt;
        const uint8_t mark = *at_++;
        if (mark < 0x80) return mark;
        if (mark < 0xcc || mark > 0xcf) return std::nullopt;
        const size_t bytes = size_t{1} << (mark - 0xcc);
        if (left() < bytes) return std::nullopt;
        uint64_t value = 0;
        for (size_t i = 0; i < bytes; ++i) value = value << 8 | *at_++;
        return value;
    }

    std::optional<bool> boolean() {
        if (at_ == end_ || (*at_ != 0xc2 && *at_ != 0xc3)) return std::nullopt;
        return *at_++ == 0xc3;
    }

    std::optional<uint64_t> list() {
        if (at_ == end_) return std::nullopt;
        const uint8_t mark = *at_++;
        if ((mark & 0xf0) == 0x90) return mark & 0x0f;
        if (mark != 0xdc || left() < 2) return std::nullopt;
        const uint64_t size = static_cast<uint64_t>(at_[0]) << 8 | at_[1];
        at_ += 2;
        return size;
    }

    size_t left() const { return static_cast<size_t>(end_ - at_); }
    std::span<const uint8_t> rest() const { return {at_, left()}; }

  private:
    const uint8_t* at_;
    const uint8_t* end_;
};

/// `retry_after_ms` of an error's body, when it is there and the body is well-formed up to it.
uint32_t read_retry_after(std::span<const uint8_t> body) {
    Status failure;
    wire::MsgpackReader reader(body, Code::INVALID_BODY, failure);
    wire::MsgpackValue map, value;
    if (!reader.next(map) || map.type() != wire::ValueType::kMap) return UINT32_MAX;
    std::string_view key;
    for (size_t i = 0; i < map.size(); ++i) {
        if (!reader.next_key(key)) return UINT32_MAX;
        if (key != "retry_after_ms") {
            if (!reader.skip(kMaxDepth)) return UINT32_MAX;
            continue;
        }
        if (!reader.next(value)) return UINT32_MAX;
        const auto number = wire::unsigned_integer(value);
        return number ? static_cast<uint32_t>(std::min<uint64_t>(*number, kLongestAdviceMs)) : UINT32_MAX;
    }
    return UINT32_MAX;
}

}  // namespace

Answer read_answer(std::span<const uint8_t> message) {
    Answer answer;
    Cursor cursor(message);
    const auto elements = cursor.list(), version = elements ? cursor.unsigned_integer() : std::nullopt;
    const auto id = version ? cursor.unsigned_integer() : std::nullopt;
    const auto code = id ? cursor.unsigned_integer() : std::nullopt;
    const auto seq = code ? cursor.unsigned_integer() : std::nullopt;
    const auto last = seq ? cursor.boolean() : std::nullopt;
    if (!last || *elements != kElements || *version != kVersion || *code > kMaxRpcCode || cursor.left() == 0) return answer;
    answer.is_valid = true;
    answer.is_last = *last;
    answer.id = *id;
    answer.outcome.code = static_cast<uint16_t>(*code);
    answer.outcome.is_ok = *code == static_cast<uint64_t>(Code::OK);
    if (!answer.outcome.is_ok) answer.outcome.retry_after_ms = read_retry_after(cursor.rest());
    return answer;
}

}  // namespace rankd::load
