#include "base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/sha256_forms.h"

namespace rankd {

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
const uint32_t kSha256RoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

namespace {

uint32_t load_big_endian(const uint8_t* at) {
    return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | uint32_t{at[3]};
}

void compress_block(uint32_t* state, const uint8_t* block) {
    std::array<uint32_t, 64> w;  // the message schedule
    for (size_t t = 0; t < 16; ++t) w[t] = load_big_endian(block + 4 * t);
    for (size_t t = 16; t < 64; ++t) {
        const uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
        const uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (size_t t = 0; t < 64; ++t) {
        const uint32_t choose = (e & f) ^ (~e & g);
        const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        const uint32_t t1 =
            h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + choose + kSha256RoundConstants[t] + w[t];
        const uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + majority;
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<uint32_t, 8> working = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += working[i];
}

bool has_sha_extensions() {
#if defined(__x86_64__)
    constexpr uint32_t kSsse3 = 1u << 9, kSse41 = 1u << 19, kSha = 1u << 29;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSsse3) == 0 || (c & kSse41) == 0) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
#else
    return false;
#endif
}

}  // namespace

void sha256_compress_scalar(uint32_t* state, const uint8_t* blocks, size_t count) {
    for (; count > 0; --count, blocks += 64) compress_block(state, blocks);
}

Sha256Compress sha256_compress() {
    static const Sha256Compress chosen =
        sha256_compress_shani() != nullptr && has_sha_extensions() ? sha256_compress_shani() : sha256_compress_scalar;
    return chosen;
}

void Sha256::update(std::span<const uint8_t> bytes) {
    total_bytes_ += bytes.size();
    if (pending_bytes_ > 0) {
        const size_t taken = std::min(bytes.size(), kBlockBytes - pending_bytes_);
        if (taken > 0) std::memcpy(pending_.data() + pending_bytes_, bytes.data(), taken);
        pending_bytes_ += taken;
        bytes = bytes.subspan(taken);
        if (pending_bytes_ < kBlockBytes) return;
        sha256_compress()(state_.data(), pending_.data(), 1);
        pending_bytes_ = 0;
    }
    const size_t blocks = bytes.size() / kBlockBytes;
    sha256_compress()(state_.data(), bytes.data(), blocks);
    bytes = bytes.subspan(blocks * kBlockBytes);
    if (!bytes.empty()) std::memcpy(pending_.data(), bytes.data(), bytes.size());
    pending_bytes_ = bytes.size();
}

Sha256Digest Sha256::finish() {
    const uint64_t total_bits = total_bytes_ * 8;
    constexpr size_t kLengthBytes = 8;
    // A one bit, zeros up to the last eight bytes of a block, then the length (FIPS 180-4, 5.1.1).
    std::array<uint8_t, kBlockBytes + kLengthBytes> padding = {0x80};
    const size_t zeros_end =
        pending_bytes_ < kBlockBytes - kLengthBytes ? kBlockBytes - kLengthBytes : 2 * kBlockBytes - kLengthBytes;
    const size_t length_at = zeros_end - pending_bytes_;
    for (size_t i = 0; i < kLengthBytes; ++i) padding[length_at + i] = static_cast<uint8_t>(total_bits >> (56 - 8 * i));
    update(std::span(padding).first(length_at + kLengthBytes));

    Sha256Digest digest;
    for (size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

std::string sha256_hex(const Sha256Digest& digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * digest.size());
    for (const uint8_t byte : digest) {
        hex.push_back(kDigits[byte >> 4]);
        hex.push_back(kDigits[byte & 15]);
    }
    return hex;
}

std::string sha256_hex(std::span<const uint8_t> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return sha256_hex(hash.finish());
}

}  // namespace rankd
