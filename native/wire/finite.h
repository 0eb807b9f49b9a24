// Finds NaN and infinity in packed floats before they reach a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rankd::wire {

/// Index of the first float that is NaN or infinite, or the count of floats.
/// @param bytes  float32 little-endian, not aligned, a multiple of 4 bytes
size_t first_not_finite(std::span<const uint8_t> bytes);

}  // namespace rankd::wire
