// Unit length and int8 quantisation of one vector, the same for stored vectors and for queries.
#include "index/vector_math.h"

#include <algorithm>
#include <cmath>

namespace rankd::index {

void normalise(std::span<const float> vector, float* out) {
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * value;
    const double factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (size_t i = 0; i < vector.size(); ++i) out[i] = static_cast<float>(vector[i] * factor);
}

float quantise(std::span<const float> vector, int8_t* out) {
    float largest = 0;
    for (const float value : vector) largest = std::max(largest, std::fabs(value));
    const float scale = largest / 127;
    for (size_t i = 0; i < vector.size(); ++i) {
        const float value = scale > 0 ? vector[i] / scale : 0;
        // Written so that a NaN, which a query may hold, takes a defined value too.
        out[i] = !(value > -127) ? int8_t{-127} : value > 127 ? int8_t{127} : static_cast<int8_t>(std::lrintf(value));
    }
    return scale;
}

}  // namespace rankd::index
