// Arithmetic on single vectors that searches and builds share: unit length and int8 with one scale.
#pragma once

#include <cstdint>
#include <span>

namespace rankd::index {

/// Divides by the Euclidean length, computed in float64; a zero vector stays zero. `out` may be `vector`.
void normalise(std::span<const float> vector, float* out);

/// value ≈ int8 * scale with scale = largest magnitude / 127; values in -127..127. @return the scale, 0 for a zero vector
float quantise(std::span<const float> vector, int8_t* out);

}  // namespace rankd::index
