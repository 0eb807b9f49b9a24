// The elements of a tensor that came as a list of numbers, kept until the tensor's type is known: its fields come in any order.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include "base/arena.h"
#include "base/element_type.h"
#include "wire/value.h"

namespace rankd::wire {

/// One boolean or number, exact as it was written.
struct TensorElement {
    ValueType type = ValueType::kNil;
    union {
        uint64_t integer = 0;  ///< kBool, kUnsigned; the two's complement of kNegative
        double number;         ///< kFloat
    };

    template <WireValue V>
    static TensorElement of(const V& value) {
        TensorElement element;
        element.type = value.type();
        switch (value.type()) {
            case ValueType::kBool:
                element.integer = value.boolean();
                break;
            case ValueType::kUnsigned:
                element.integer = value.integer();
                break;
            case ValueType::kNegative:
                element.integer = static_cast<uint64_t>(value.negative());
                break;
            default:
                element.number = value.number();
        }
        return element;
    }
};

/// Whether the element is exactly one of the type's integers.
template <std::integral T>
bool convert(const TensorElement& element, T& out) {
    if (element.type == ValueType::kUnsigned) {
        out = static_cast<T>(element.integer);
        return element.integer <= static_cast<uint64_t>(std::numeric_limits<T>::max());
    }
    if (element.type == ValueType::kNegative) {
        const auto negative = static_cast<int64_t>(element.integer);
        out = static_cast<T>(negative);
        return std::signed_integral<T> && negative >= static_cast<int64_t>(std::numeric_limits<T>::min());
    }
    // msgpackr writes integers above 2^32 as floats.
    if (element.type != ValueType::kFloat || std::abs(element.number) > kLargestExactInteger) return false;
    if (element.number != std::floor(element.number)) return false;
    if (element.number < static_cast<double>(std::numeric_limits<T>::min())) return false;
    if (element.number > static_cast<double>(std::numeric_limits<T>::max())) return false;
    out = static_cast<T>(element.number);
    return true;
}

inline bool convert(const TensorElement& element, bool& out) {
    out = element.integer != 0;
    return element.type == ValueType::kBool;
}

/// Whether the element is a number that the type can hold, rounded to it.
template <std::floating_point T>
bool convert(const TensorElement& element, T& out) {
    if (element.type == ValueType::kBool) return false;
    const double number = element.type == ValueType::kFloat      ? element.number
                          : element.type == ValueType::kUnsigned ? static_cast<double>(element.integer)
                                                                 : static_cast<double>(static_cast<int64_t>(element.integer));
    out = static_cast<T>(number);
    return std::isfinite(out);
}

template <typename T>
size_t pack_as(std::span<const TensorElement> elements, std::span<uint8_t> out) {
    for (size_t i = 0; i < elements.size(); ++i) {
        T value{};
        if (!convert(elements[i], value)) return i;
        std::memcpy(out.data() + i * sizeof(T), &value, sizeof(T));
    }
    return elements.size();
}

/// Packs elements as `type`; 16-bit floats have no list form. @return the place of the first that does not fit, or how many there
/// are
size_t pack_elements(ElementType type, std::span<const TensorElement> elements, std::span<uint8_t> out);

}  // namespace rankd::wire
