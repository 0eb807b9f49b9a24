// The classification extension: of an output, the highest elements of each row as "value:index" or "value:index:label".
#pragma once

#include <span>
#include <string>

#include "base/arena.h"
#include "wire/tensor.h"

namespace rankd::pipeline {

struct Classes {
    uint32_t count = 1;                   ///< of each row, at most as many as it has
    bool has_rows = false;                ///< dimension 0 is a batch; else the whole tensor is one row
    std::span<const std::string> labels;  ///< by index; may be fewer than there are classes
};

/// Whether elements of the type can be ordered.
bool can_classify(ElementType type);

/// @return BYTES [rows, count], or [count] without a batch; highest first, of equals the lower index, NaN last
wire::NamedTensor classify(const wire::NamedTensor& output, const Classes& classes, Arena& arena);

}  // namespace rankd::pipeline
