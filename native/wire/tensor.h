// A tensor of `infer`, as it comes and as it goes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/element_type.h"

namespace rankd::wire {

/// Named, typed and shaped as in the Open Inference Protocol; `data` is row-major, little-endian, and not aligned.
struct NamedTensor {
    std::string_view name;
    ElementType type = ElementType::kOther;
    std::span<const int64_t> shape;
    std::span<const uint8_t> data;
};

}  // namespace rankd::wire
