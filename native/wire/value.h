// What a body decoder sees of a value, whichever codec wrote it: each decoder is written once over this interface.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"

namespace rankd::wire {

enum class ValueType : uint8_t { kNil, kBool, kUnsigned, kNegative, kFloat, kText, kBinary, kList, kMap };

/// A cursor on one value. Scalars are read by the accessor of their type. A container is walked at most once, and a visitor that
/// returns true has walked the container it was given: msgpack has no other way to know where the next value starts.
/// `for_each_element(f)` calls `bool f(const V&)`, `for_each_member(f)` calls `bool f(std::string_view key, const V&)`; both end
/// early with false when `f` returns false or the bytes are not well-formed.
template <typename V>
concept WireValue = requires(const V& value, std::string_view text, Arena& arena, bool (*element)(const V&),
                             bool (*member)(std::string_view, const V&)) {
    { value.type() } -> std::same_as<ValueType>;
    { value.boolean() } -> std::same_as<bool>;
    { value.integer() } -> std::same_as<uint64_t>;                 // kUnsigned
    { value.negative() } -> std::same_as<int64_t>;                 // kNegative
    { value.number() } -> std::same_as<double>;                    // kUnsigned, kNegative, kFloat
    { value.text() } -> std::same_as<std::string_view>;            // kText
    { value.binary() } -> std::same_as<std::span<const uint8_t>>;  // kBinary
    { value.size() } -> std::same_as<size_t>;                      // kList, kMap
    { value.for_each_element(element) } -> std::same_as<bool>;     // kList
    { value.for_each_member(member) } -> std::same_as<bool>;       // kMap
    { V::keep(text, arena) } -> std::same_as<std::string_view>;    // a view that lives as long as the request
    { V::kNilWord } -> std::convertible_to<std::string_view>;      // "nil" or "null"
};

/// JavaScript's numbers: up to here every integer is exact.
constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

template <typename V>
bool is_number(const V& value) {
    return value.type() == ValueType::kUnsigned || value.type() == ValueType::kNegative || value.type() == ValueType::kFloat;
}

/// An integer from 0, also when it came as a float: msgpackr writes integers above 2^32 that way.
template <typename V>
std::optional<uint64_t> unsigned_integer(const V& value) {
    if (value.type() == ValueType::kUnsigned) return value.integer();
    if (value.type() != ValueType::kFloat) return std::nullopt;
    const double number = value.number();
    if (!(number >= 0 && number <= kLargestExactInteger) || number != std::floor(number)) return std::nullopt;
    return static_cast<uint64_t>(number);
}

}  // namespace rankd::wire
