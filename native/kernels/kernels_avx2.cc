// The AVX2 form (with FMA and F16C) of every kernel: intrinsics and plain loops only, nothing that other files could share.
#include "kernels/kernel_forms.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

namespace rankd::kernels {
namespace {

constexpr size_t kRowsAtOnce = 4;  // times two accumulators: enough chains to hide the latency of a multiply-add
constexpr size_t kLineBytes = 64;

void prefetch(const void* data, size_t bytes) {
    for (size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(static_cast<const char*>(data) + at);
}

// --- float32 ---

// All ones in the first `n` (0..8) of eight lanes.
__m256i first_lanes(size_t n) {
    alignas(64) static constexpr int32_t kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - n));
}

// Dot products of `Rows` rows with one query, their sixteen partial sums already folded to eight.
template <size_t Rows>
inline __attribute__((always_inline)) void dot_rows(const float* query, const float* const* rows, size_t n, __m256* folded) {
    __m256 low[Rows], high[Rows];
    for (size_t r = 0; r < Rows; ++r) low[r] = high[r] = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m256 query_low = _mm256_loadu_ps(query + i), query_high = _mm256_loadu_ps(query + i + 8);
        for (size_t r = 0; r < Rows; ++r) {
            low[r] = _mm256_fmadd_ps(query_low, _mm256_loadu_ps(rows[r] + i), low[r]);
            high[r] = _mm256_fmadd_ps(query_high, _mm256_loadu_ps(rows[r] + i + 8), high[r]);
        }
    }
    if (i < n) {
        const size_t rest = n - i;
        const __m256i mask_low = first_lanes(rest < 8 ? rest : 8), mask_high = first_lanes(rest < 8 ? 0 : rest - 8);
        const __m256 query_low = _mm256_maskload_ps(query + i, mask_low);
        const __m256 query_high = _mm256_maskload_ps(query + i + 8, mask_high);
        for (size_t r = 0; r < Rows; ++r) {
            low[r] = _mm256_fmadd_ps(query_low, _mm256_maskload_ps(rows[r] + i, mask_low), low[r]);
            high[r] = _mm256_fmadd_ps(query_high, _mm256_maskload_ps(rows[r] + i + 8, mask_high), high[r]);
        }
    }
    for (size_t r = 0; r < Rows; ++r) folded[r] = _mm256_add_ps(low[r], high[r]);
}

// The sums of four vectors of eight, each ((0+1)+(2+3)) + ((4+5)+(6+7)).
__m128 fold(__m256 a, __m256 b, __m256 c, __m256 d) {
    const __m256 quarters = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(quarters), _mm256_extractf128_ps(quarters, 1));
}

float dot_f32(const float* a, const float* b, size_t n) {
    __m256 folded;
    dot_rows<1>(a, &b, n, &folded);
    return _mm_cvtss_f32(fold(folded, folded, folded, folded));
}

void scan_f32(const float* query, const float* vectors, size_t dim, const uint32_t* rows, size_t count, float* scores) {
    size_t i = 0;
    for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
        const float* block[kRowsAtOnce];
        for (size_t r = 0; r < kRowsAtOnce; ++r) block[r] = vectors + (rows ? rows[i + r] : i + r) * dim;
        if (rows) {
            const size_t end = i + 2 * kRowsAtOnce < count ? i + 2 * kRowsAtOnce : count;
            for (size_t next = i + kRowsAtOnce; next < end; ++next) prefetch(vectors + rows[next] * dim, dim * sizeof(float));
        }
        __m256 folded[kRowsAtOnce];
        dot_rows<kRowsAtOnce>(query, block, dim, folded);
        _mm_storeu_ps(scores + i, fold(folded[0], folded[1], folded[2], folded[3]));
    }
    for (; i < count; ++i) scores[i] = dot_f32(query, vectors + (rows ? rows[i] : i) * dim, dim);
}

// --- int8 ---

// Eight int32 sums of four products each. maddubs wants one unsigned factor: |row|, up to 128, with the row's sign moved to the
// query, at most 127. A pair then reaches 2 * 128 * 127 = 32,512, which int16 holds, so nothing saturates.
__m256i multiply_i8(__m256i query, __m256i row) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(query, row));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

__m256i load_i8(const int8_t* source) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source));
}

// The last 32 values of a query, those before its last `rest` set to zero: a row's end is then one whole load within the row.
__m256i load_tail(const int8_t* query, size_t n, size_t rest) {
    alignas(64) static constexpr int8_t kOnes[64] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                                     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                                     -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                                     -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_and_si256(load_i8(query + n - 32), load_i8(kOnes + rest));
}

template <size_t Rows>
inline __attribute__((always_inline)) void dot_rows_i8(const int8_t* query, const int8_t* const* rows, size_t n, __m256i* sums) {
    for (size_t r = 0; r < Rows; ++r) sums[r] = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i part = load_i8(query + i);
        for (size_t r = 0; r < Rows; ++r) sums[r] = _mm256_add_epi32(sums[r], multiply_i8(part, load_i8(rows[r] + i)));
    }
    if (i < n) {
        const __m256i part = load_tail(query, n, n - i);
        for (size_t r = 0; r < Rows; ++r) sums[r] = _mm256_add_epi32(sums[r], multiply_i8(part, load_i8(rows[r] + n - 32)));
    }
}

__m128i fold(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i quarters = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(quarters), _mm256_extracti128_si256(quarters, 1));
}

int32_t dot_i8(const int8_t* a, const int8_t* b, size_t n) {
    if (n < 32) {
        int32_t sum = 0;
        for (size_t i = 0; i < n; ++i) sum += int32_t{a[i]} * b[i];
        return sum;
    }
    __m256i sums;
    dot_rows_i8<1>(a, &b, n, &sums);
    return _mm_cvtsi128_si32(fold(sums, sums, sums, sums));
}

void scan_i8(const int8_t* query, float query_scale, const int8_t* vectors, const float* scales, size_t dim, const uint32_t* rows,
             size_t count, float* scores) {
    size_t i = 0;
    for (; dim >= 32 && i + kRowsAtOnce <= count; i += kRowsAtOnce) {
        const int8_t* block[kRowsAtOnce];
        alignas(16) float block_scales[kRowsAtOnce];
        for (size_t r = 0; r < kRowsAtOnce; ++r) {
            const size_t row = rows ? rows[i + r] : i + r;
            block[r] = vectors + row * dim;
            block_scales[r] = scales[row];
        }
        if (rows) {
            const size_t end = i + 2 * kRowsAtOnce < count ? i + 2 * kRowsAtOnce : count;
            for (size_t next = i + kRowsAtOnce; next < end; ++next) prefetch(vectors + rows[next] * dim, dim);
        }
        __m256i sums[kRowsAtOnce];
        dot_rows_i8<kRowsAtOnce>(query, block, dim, sums);
        const __m128 dots = _mm_cvtepi32_ps(fold(sums[0], sums[1], sums[2], sums[3]));
        _mm_storeu_ps(scores + i, _mm_mul_ps(dots, _mm_mul_ps(_mm_set1_ps(query_scale), _mm_load_ps(block_scales))));
    }
    for (; i < count; ++i) {
        const size_t row = rows ? rows[i] : i;
        scores[i] = static_cast<float>(dot_i8(query, vectors + row * dim, dim)) * (query_scale * scales[row]);
    }
}

// --- Conversions and sums of rows ---

__m256 load_f16(const uint16_t* source) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
}

__m256 load_i8_as_f32(const int8_t* source) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(source))));
}

void widen_f16(const uint16_t* source, float* out, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, load_f16(source + i));
    for (; i < n; ++i) out[i] = _cvtsh_ss(source[i]);
}

void widen_i8(const int8_t* source, float scale, float* out, size_t n) {
    const __m256 factor = _mm256_set1_ps(scale);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, _mm256_mul_ps(factor, load_i8_as_f32(source + i)));
    for (; i < n; ++i) out[i] = scale * static_cast<float>(source[i]);
}

void add_f32(const float* source, float* out, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(out + i), _mm256_loadu_ps(source + i)));
    for (; i < n; ++i) out[i] += source[i];
}

void add_f16(const uint16_t* source, float* out, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(out + i), load_f16(source + i)));
    for (; i < n; ++i) out[i] += _cvtsh_ss(source[i]);
}

void add_i8(const int8_t* source, float scale, float* out, size_t n) {
    const __m256 factor = _mm256_set1_ps(scale);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(out + i, _mm256_fmadd_ps(factor, load_i8_as_f32(source + i), _mm256_loadu_ps(out + i)));
    }
    for (; i < n; ++i) out[i] = __builtin_fmaf(scale, static_cast<float>(source[i]), out[i]);
}

}  // namespace

const Kernels* avx2_kernels() {
    static const Kernels kForm = {"avx2", dot_f32, dot_i8, scan_f32, scan_i8, widen_f16, widen_i8, add_f32, add_f16, add_i8};
    return &kForm;
}

}  // namespace rankd::kernels

#else

namespace rankd::kernels {
const Kernels* avx2_kernels() {
    return nullptr;
}
}  // namespace rankd::kernels

#endif
