// The reference form of every kernel: plain loops that say what the others must give, and that run anywhere.
#include <bit>
#include <cmath>

#include "kernels/kernel_forms.h"

namespace rankd::kernels {
namespace {

float dot_f32(const float* a, const float* b, size_t n) {
    float sums[16] = {};
    for (size_t i = 0; i < n; ++i) sums[i % 16] = std::fma(a[i], b[i], sums[i % 16]);
    for (size_t i = 0; i < 8; ++i) sums[i] += sums[i + 8];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

int32_t dot_i8(const int8_t* a, const int8_t* b, size_t n) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += int32_t{a[i]} * b[i];
    return sum;
}

void scan_f32(const float* query, const float* vectors, size_t dim, const uint32_t* rows, size_t count, float* scores) {
    for (size_t i = 0; i < count; ++i) scores[i] = dot_f32(query, vectors + (rows ? rows[i] : i) * dim, dim);
}

void scan_i8(const int8_t* query, float query_scale, const int8_t* vectors, const float* scales, size_t dim, const uint32_t* rows,
             size_t count, float* scores) {
    for (size_t i = 0; i < count; ++i) {
        const size_t row = rows ? rows[i] : i;
        scores[i] = static_cast<float>(dot_i8(query, vectors + row * dim, dim)) * (query_scale * scales[row]);
    }
}

float widen(uint16_t half) {
    const uint32_t sign = uint32_t{half} >> 15 << 31;
    const uint32_t exponent = half >> 10 & 0x1F;
    const uint32_t fraction = half & 0x3FF;
    if (exponent == 0) {  // zero or subnormal: fraction units of 2^-24
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 0x1F) {  // infinity, or NaN with its quiet bit set
        return std::bit_cast<float>(sign | 0x7F800000u | (fraction ? 0x400000u | fraction << 13 : 0u));
    }
    return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

void widen_f16(const uint16_t* source, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = widen(source[i]);
}

void widen_i8(const int8_t* source, float scale, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = scale * static_cast<float>(source[i]);
}

void add_f32(const float* source, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] += source[i];
}

void add_f16(const uint16_t* source, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] += widen(source[i]);
}

void add_i8(const int8_t* source, float scale, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = std::fma(scale, static_cast<float>(source[i]), out[i]);
}

}  // namespace

const Kernels* scalar_kernels() {
    static const Kernels kForm = {"scalar", dot_f32, dot_i8, scan_f32, scan_i8, widen_f16, widen_i8, add_f32, add_f16, add_i8};
    return &kForm;
}

}  // namespace rankd::kernels
