#include "wire/tensor_elements.h"

namespace rankd::wire {

size_t pack_elements(ElementType type, std::span<const TensorElement> elements, std::span<uint8_t> out) {
    switch (type) {
        case ElementType::kBool:
            return pack_as<bool>(elements, out);
        case ElementType::kU8:
            return pack_as<uint8_t>(elements, out);
        case ElementType::kU16:
            return pack_as<uint16_t>(elements, out);
        case ElementType::kU32:
            return pack_as<uint32_t>(elements, out);
        case ElementType::kU64:
            return pack_as<uint64_t>(elements, out);
        case ElementType::kI8:
            return pack_as<int8_t>(elements, out);
        case ElementType::kI16:
            return pack_as<int16_t>(elements, out);
        case ElementType::kI32:
            return pack_as<int32_t>(elements, out);
        case ElementType::kI64:
            return pack_as<int64_t>(elements, out);
        case ElementType::kF32:
            return pack_as<float>(elements, out);
        case ElementType::kF64:
            return pack_as<double>(elements, out);
        case ElementType::kF16:
        case ElementType::kBf16:
        case ElementType::kBytes:
        case ElementType::kOther:
            break;
    }
    return 0;
}

}  // namespace rankd::wire
