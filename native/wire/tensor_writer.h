// Tensors of an `infer` answer: their bytes in msgpack, numbers and texts in JSON.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "wire/bytes_tensor.h"
#include "wire/json_writer.h"
#include "wire/msgpack_writer.h"
#include "wire/tensor.h"

namespace rankd::wire {

inline void write_tensor_data(MsgpackWriter& writer, const NamedTensor& tensor) {
    writer.binary(tensor.data.data(), tensor.data.size());
}

/// IEEE 754 binary16 to binary32, exact.
inline float half_to_float(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float subnormal = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -subnormal : subnormal;
}

inline float bfloat_to_float(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Calls `write` for each element of type T.
template <typename T, typename Write>
void for_each_as(std::span<const uint8_t> data, Write&& write) {
    for (size_t at = 0; at + sizeof(T) <= data.size(); at += sizeof(T)) {
        T value;
        std::memcpy(&value, data.data() + at, sizeof(T));
        write(value);
    }
}

inline void write_elements(JsonWriter& writer, const NamedTensor& tensor) {
    const auto number = [&](auto value) { writer.number(value); };
    const auto natural = [&](auto value) { writer.integer(value); };
    const auto integer = [&](auto value) { writer.signed_integer(value); };
    switch (tensor.type) {
        case ElementType::kBool:
            return for_each_as<uint8_t>(tensor.data, [&](uint8_t value) { writer.boolean(value != 0); });
        case ElementType::kU8:
            return for_each_as<uint8_t>(tensor.data, natural);
        case ElementType::kU16:
            return for_each_as<uint16_t>(tensor.data, natural);
        case ElementType::kU32:
            return for_each_as<uint32_t>(tensor.data, natural);
        case ElementType::kU64:
            return for_each_as<uint64_t>(tensor.data, natural);
        case ElementType::kI8:
            return for_each_as<int8_t>(tensor.data, integer);
        case ElementType::kI16:
            return for_each_as<int16_t>(tensor.data, integer);
        case ElementType::kI32:
            return for_each_as<int32_t>(tensor.data, integer);
        case ElementType::kI64:
            return for_each_as<int64_t>(tensor.data, integer);
        case ElementType::kF16:
            return for_each_as<uint16_t>(tensor.data, [&](uint16_t half) { writer.number(half_to_float(half)); });
        case ElementType::kBf16:
            return for_each_as<uint16_t>(tensor.data, [&](uint16_t bits) { writer.number(bfloat_to_float(bits)); });
        case ElementType::kF32:
            return for_each_as<float>(tensor.data, number);
        case ElementType::kF64:
            return for_each_as<double>(tensor.data, number);
        case ElementType::kBytes:
            for_each_bytes_element(tensor.data, [&](std::string_view element) {
                writer.text(element);
                return true;
            });
            return;
        case ElementType::kOther:
            return;
    }
}

inline void write_tensor_data(JsonWriter& writer, const NamedTensor& tensor) {
    writer.begin_list(tensor.data.size());
    write_elements(writer, tensor);
    writer.end_list();
}

template <typename Writer>
void write_tensor_head(Writer& writer, const NamedTensor& tensor) {
    writer.key("name");
    writer.text(tensor.name);
    writer.key("datatype");
    writer.text(datatype_name(tensor.type));
    writer.key("shape");
    writer.begin_list(tensor.shape.size());
    for (const int64_t dimension : tensor.shape) writer.integer(static_cast<uint64_t>(dimension));
    writer.end_list();
}

template <typename Writer>
void write_tensors(Writer& writer, std::span<const NamedTensor> tensors) {
    writer.begin_list(tensors.size());
    for (const NamedTensor& tensor : tensors) {
        writer.begin_map(4);
        write_tensor_head(writer, tensor);
        writer.key("data");
        write_tensor_data(writer, tensor);
        writer.end_map();
    }
    writer.end_list();
}

}  // namespace rankd::wire
