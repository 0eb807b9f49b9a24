#include "base/element_type.h"

#include <array>

namespace rankd {
namespace {

struct TypeInfo {
    std::string_view name;
    std::string_view datatype;
    size_t bytes;
};

/// In the order of `ElementType`.
constexpr std::array<TypeInfo, 15> kTypes = {{{"bool", "BOOL", 1},
                                              {"uint8", "UINT8", 1},
                                              {"uint16", "UINT16", 2},
                                              {"uint32", "UINT32", 4},
                                              {"uint64", "UINT64", 8},
                                              {"int8", "INT8", 1},
                                              {"int16", "INT16", 2},
                                              {"int32", "INT32", 4},
                                              {"int64", "INT64", 8},
                                              {"float16", "FP16", 2},
                                              {"bfloat16", "BF16", 2},
                                              {"float32", "FP32", 4},
                                              {"float64", "FP64", 8},
                                              {"string", "BYTES", 0},
                                              {"another type", "", 0}}};

const TypeInfo& info_of(ElementType type) {
    return kTypes[static_cast<size_t>(type)];
}

}  // namespace

std::string_view element_type_name(ElementType type) {
    return info_of(type).name;
}

std::string_view datatype_name(ElementType type) {
    return info_of(type).datatype;
}

std::optional<ElementType> element_type_from_datatype(std::string_view datatype) {
    for (size_t i = 0; i < static_cast<size_t>(ElementType::kOther); ++i)
        if (kTypes[i].datatype == datatype) return static_cast<ElementType>(i);
    return std::nullopt;
}

std::string datatype_names() {
    std::string names;
    for (size_t i = 0; i < static_cast<size_t>(ElementType::kOther); ++i)
        names.append(names.empty() ? "" : ", ").append(kTypes[i].datatype);
    return names;
}

size_t element_bytes(ElementType type) {
    return info_of(type).bytes;
}

}  // namespace rankd
