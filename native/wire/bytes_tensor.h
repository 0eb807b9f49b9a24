// Tensors of BYTES as they come: hostile until checked.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes_tensor.h"
#include "base/status.h"

namespace rankd::wire {

/// SHAPE_MISMATCH unless the bytes are exactly `count` elements; the message goes on where a name of the tensor ends.
Status check_bytes_elements(std::span<const uint8_t> serialised, uint64_t count);

}  // namespace rankd::wire
