// The compression function of SHA-256 in two forms. Plain declarations only: this header is compiled with wide instructions too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rankd {

/// Takes `count` consecutive blocks of 64 bytes into the state of eight words.
using Sha256Compress = void (*)(uint32_t* state, const uint8_t* blocks, size_t count);

extern const uint32_t kSha256RoundConstants[64];

/// The reference, there on every machine.
void sha256_compress_scalar(uint32_t* state, const uint8_t* blocks, size_t count);
/// With the SHA extensions of x86; null where the compiler does not target it. Ask the processor before calling it.
Sha256Compress sha256_compress_shani();
/// The one that serves here.
Sha256Compress sha256_compress();

}  // namespace rankd
