// The AVX-512 form (with VNNI) of every kernel: intrinsics and plain loops only, nothing that other files could share.
#include "kernels/kernel_forms.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && defined(__AVX512VNNI__)
#include <immintrin.h>

namespace rankd::kernels {
namespace {

constexpr size_t kRowsAtOnce = 8;  // one accumulator each: enough chains to hide the latency of a multiply-add
constexpr size_t kLineBytes = 64;

void prefetch(const void* data, size_t bytes) {
    for (size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(static_cast<const char*>(data) + at);
}

__mmask16 first_16(size_t n) {
    return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u);
}
__mmask64 first_64(size_t n) {
    return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
}

// --- float32 ---

// Dot products of `Rows` rows with one query, their sixteen partial sums already folded to eight. Masked lanes are not read.
template <size_t Rows>
inline __attribute__((always_inline)) void dot_rows(const float* query, const float* const* rows, size_t n, __m256* folded) {
    __m512 sums[Rows];
    for (size_t r = 0; r < Rows; ++r) sums[r] = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m512 part = _mm512_loadu_ps(query + i);
        for (size_t r = 0; r < Rows; ++r) sums[r] = _mm512_fmadd_ps(part, _mm512_loadu_ps(rows[r] + i), sums[r]);
    }
    if (i < n) {
        const __mmask16 mask = first_16(n - i);
        const __m512 part = _mm512_maskz_loadu_ps(mask, query + i);
        for (size_t r = 0; r < Rows; ++r) sums[r] = _mm512_fmadd_ps(part, _mm512_maskz_loadu_ps(mask, rows[r] + i), sums[r]);
    }
    for (size_t r = 0; r < Rows; ++r) {
        folded[r] = _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, sums[r], 0), _mm512_maskz_extractf32x8_ps(0xFF, sums[r], 1));
    }
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
        _mm_storeu_ps(scores + i + 4, fold(folded[4], folded[5], folded[6], folded[7]));
    }
    for (; i < count; ++i) scores[i] = dot_f32(query, vectors + (rows ? rows[i] : i) * dim, dim);
}

// --- int8 ---

// vpdpbusd multiplies unsigned by signed bytes without saturating. Rows are made unsigned by adding 128 (flipping the top bit),
// so every sum is too large by 128 times the sum of the query, which is taken off again. Queries are zero past their end, so what
// a masked row holds there does not count.
__m512i to_unsigned(__m512i row) {
    return _mm512_xor_si512(row, _mm512_set1_epi8(-128));
}

__m256i fold_half(__m512i sums) {
    return _mm256_add_epi32(_mm512_maskz_extracti32x8_epi32(0xFF, sums, 0), _mm512_maskz_extracti32x8_epi32(0xFF, sums, 1));
}

__m128i fold(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i quarters = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(quarters), _mm256_extracti128_si256(quarters, 1));
}

// 128 times the sum of the query: what `to_unsigned` adds to every dot product.
int32_t surplus(const int8_t* query, size_t n) {
    __m512i sums = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 64) {
        sums = _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(-128), _mm512_maskz_loadu_epi8(first_64(n - i), query + i));
    }
    const __m256i half = fold_half(sums);
    return _mm_cvtsi128_si32(fold(half, half, half, half));
}

template <size_t Rows>
inline __attribute__((always_inline)) void dot_rows_i8(const int8_t* query, const int8_t* const* rows, size_t n,
                                                       __m256i* folded) {
    __m512i sums[Rows];
    for (size_t r = 0; r < Rows; ++r) sums[r] = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 64) {
        const __mmask64 mask = first_64(n - i);
        const __m512i part = _mm512_maskz_loadu_epi8(mask, query + i);
        for (size_t r = 0; r < Rows; ++r) {
            sums[r] = _mm512_dpbusd_epi32(sums[r], to_unsigned(_mm512_maskz_loadu_epi8(mask, rows[r] + i)), part);
        }
    }
    for (size_t r = 0; r < Rows; ++r) folded[r] = fold_half(sums[r]);
}

// Only the total with the surplus taken off fits int32 for sure; unsigned arithmetic lets the parts wrap.
int32_t without(int32_t total, int32_t excess) {
    return static_cast<int32_t>(static_cast<uint32_t>(total) - static_cast<uint32_t>(excess));
}

int32_t dot_i8(const int8_t* a, const int8_t* b, size_t n) {
    __m256i folded;
    dot_rows_i8<1>(a, &b, n, &folded);
    return without(_mm_cvtsi128_si32(fold(folded, folded, folded, folded)), surplus(a, n));
}

void scan_i8(const int8_t* query, float query_scale, const int8_t* vectors, const float* scales, size_t dim, const uint32_t* rows,
             size_t count, float* scores) {
    constexpr size_t kBlock = 4;
    const __m128i excess = _mm_set1_epi32(surplus(query, dim));
    size_t i = 0;
    for (; i + kBlock <= count; i += kBlock) {
        const int8_t* block[kBlock];
        alignas(16) float block_scales[kBlock];
        for (size_t r = 0; r < kBlock; ++r) {
            const size_t row = rows ? rows[i + r] : i + r;
            block[r] = vectors + row * dim;
            block_scales[r] = scales[row];
        }
        if (rows) {
            const size_t end = i + 2 * kBlock < count ? i + 2 * kBlock : count;
            for (size_t next = i + kBlock; next < end; ++next) prefetch(vectors + rows[next] * dim, dim);
        }
        __m256i folded[kBlock];
        dot_rows_i8<kBlock>(query, block, dim, folded);
        const __m128 dots = _mm_cvtepi32_ps(_mm_sub_epi32(fold(folded[0], folded[1], folded[2], folded[3]), excess));
        _mm_storeu_ps(scores + i, _mm_mul_ps(dots, _mm_mul_ps(_mm_set1_ps(query_scale), _mm_load_ps(block_scales))));
    }
    for (; i < count; ++i) {
        const size_t row = rows ? rows[i] : i;
        scores[i] = static_cast<float>(dot_i8(query, vectors + row * dim, dim)) * (query_scale * scales[row]);
    }
}

// --- Conversions and sums of rows: whole vectors and the masked rest share one loop ---

__m512 load_f16(__mmask16 mask, const uint16_t* source) {
    return _mm512_maskz_cvtph_ps(mask, _mm256_maskz_loadu_epi16(mask, source));
}

__m512 load_i8_as_f32(__mmask16 mask, const int8_t* source) {
    return _mm512_maskz_cvtepi32_ps(mask, _mm512_maskz_cvtepi8_epi32(mask, _mm_maskz_loadu_epi8(mask, source)));
}

void widen_f16(const uint16_t* source, float* out, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first_16(n - i);
        _mm512_mask_storeu_ps(out + i, mask, load_f16(mask, source + i));
    }
}

void widen_i8(const int8_t* source, float scale, float* out, size_t n) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first_16(n - i);
        _mm512_mask_storeu_ps(out + i, mask, _mm512_mul_ps(factor, load_i8_as_f32(mask, source + i)));
    }
}

void add_f32(const float* source, float* out, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first_16(n - i);
        const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out + i), _mm512_maskz_loadu_ps(mask, source + i));
        _mm512_mask_storeu_ps(out + i, mask, sum);
    }
}

void add_f16(const uint16_t* source, float* out, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first_16(n - i);
        _mm512_mask_storeu_ps(out + i, mask, _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out + i), load_f16(mask, source + i)));
    }
}

void add_i8(const int8_t* source, float scale, float* out, size_t n) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first_16(n - i);
        const __m512 old = _mm512_maskz_loadu_ps(mask, out + i);
        _mm512_mask_storeu_ps(out + i, mask, _mm512_fmadd_ps(factor, load_i8_as_f32(mask, source + i), old));
    }
}

}  // namespace

const Kernels* avx512_kernels() {
    static const Kernels kForm = {"avx512", dot_f32, dot_i8, scan_f32, scan_i8, widen_f16, widen_i8, add_f32, add_f16, add_i8};
    return &kForm;
}

}  // namespace rankd::kernels

#else

namespace rankd::kernels {
const Kernels* avx512_kernels() {
    return nullptr;
}
}  // namespace rankd::kernels

#endif
