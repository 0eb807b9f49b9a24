// SHA-256 (FIPS 180-4): the checksum of every file in a bundle's manifest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rankd {

using Sha256Digest = std::array<uint8_t, 32>;

/// Feed it pieces in order, then take the digest once.
class Sha256 {
  public:
    void update(std::span<const uint8_t> bytes);

    /// Ends the message; the object must not be used afterwards.
    Sha256Digest finish();

  private:
    static constexpr size_t kBlockBytes = 64;
    std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<uint8_t, kBlockBytes> pending_{};
    size_t pending_bytes_ = 0;
    uint64_t total_bytes_ = 0;
};

/// 64 lower-case hex digits, as `files` of a manifest writes them.
std::string sha256_hex(std::span<const uint8_t> bytes);
std::string sha256_hex(const Sha256Digest& digest);

}  // namespace rankd
