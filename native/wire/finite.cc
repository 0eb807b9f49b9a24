#include "wire/finite.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rankd::wire {

static_assert(std::endian::native == std::endian::little, "packed floats are read as they lie in memory");

size_t first_not_finite(std::span<const uint8_t> bytes) {
    constexpr uint32_t kExponent = 0x7f800000;  // all ones only in NaN and infinity
    constexpr size_t kBlock = 256;              // floats judged together, without a branch, so that the compiler uses SIMD
    const size_t count = bytes.size() / sizeof(float);
    for (size_t start = 0; start < count; start += kBlock) {
        uint32_t bits[kBlock];
        const size_t length = std::min(kBlock, count - start);
        std::memcpy(bits, bytes.data() + start * sizeof(float), length * sizeof(float));
        uint32_t any = 0;
        for (size_t i = 0; i < length; ++i) any |= static_cast<uint32_t>((bits[i] & kExponent) == kExponent);
        if (any == 0) continue;
        const auto* bad = std::find_if(bits, bits + length, [](uint32_t word) { return (word & kExponent) == kExponent; });
        return start + static_cast<size_t>(bad - bits);
    }
    return count;
}

}  // namespace rankd::wire
