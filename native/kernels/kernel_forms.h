// The table of vector kernels and its forms, one per instruction set. Plain declarations only: this header is compiled with wide
// instructions too, and an inline function emitted there could be the copy that the linker keeps for every processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rankd::kernels {

/// One form of every kernel. All forms give the same numbers: integers exactly, and a float32 dot product always adds element i
/// to partial sum i mod 16 by a fused multiply-add and then folds the sums in one fixed tree. So scores, indexes and golden
/// answers do not depend on the machine. Pointers need no alignment; counts may be zero.
struct Kernels {
    const char* isa;

    /// Sum of a[i] * b[i].
    float (*dot_f32)(const float* a, const float* b, size_t n);
    /// The same for int8. `a` lies in -127..127 (what our quantiser writes), `b` may hold any value; n up to 65,536.
    int32_t (*dot_i8)(const int8_t* a, const int8_t* b, size_t n);

    /// scores[i] = dot_f32(query, row i), over consecutive rows, or over the listed ones when `rows` is not null.
    void (*scan_f32)(const float* query, const float* vectors, size_t dim, const uint32_t* rows, size_t count, float* scores);
    /// scores[i] = dot_i8(query, row i) * (query_scale * scales[row i]); the query lies in -127..127.
    void (*scan_i8)(const int8_t* query, float query_scale, const int8_t* vectors, const float* scales, size_t dim,
                    const uint32_t* rows, size_t count, float* scores);

    /// IEEE half precision to float32, exactly; a signalling NaN becomes quiet.
    void (*widen_f16)(const uint16_t* source, float* out, size_t n);
    /// out[i] = scale * source[i]
    void (*widen_i8)(const int8_t* source, float scale, float* out, size_t n);

    /// out[i] += source[i], for pooling; the int8 form is a fused multiply-add.
    void (*add_f32)(const float* source, float* out, size_t n);
    void (*add_f16)(const uint16_t* source, float* out, size_t n);
    void (*add_i8)(const int8_t* source, float scale, float* out, size_t n);
};

/// The reference, there on every machine.
const Kernels* scalar_kernels();
/// Null where the compiler does not target x86-64; ask the processor before calling what is inside.
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();

}  // namespace rankd::kernels
