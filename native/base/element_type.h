// The element types of tensors, under the names of three worlds: C++, prose (`float32`) and the Open Inference Protocol (`FP32`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rankd {

enum class ElementType : uint8_t {
    kBool,
    kU8,
    kU16,
    kU32,
    kU64,
    kI8,
    kI16,
    kI32,
    kI64,
    kF16,
    kBf16,
    kF32,
    kF64,
    kBytes,  ///< elements of any length; a tensor's bytes are for each its length as u32, little-endian, then itself
    kOther   ///< complex numbers, sequences: what no tensor of ours holds
};

/// "float32".
std::string_view element_type_name(ElementType type);
/// "FP32", as `datatype` is written on the wire; empty for kOther.
std::string_view datatype_name(ElementType type);
std::optional<ElementType> element_type_from_datatype(std::string_view datatype);
/// Every datatype, for messages: "BOOL, UINT8, …".
std::string datatype_names();
/// Bytes of one element; 0 for kBytes, whose elements differ, and kOther.
size_t element_bytes(ElementType type);

}  // namespace rankd
