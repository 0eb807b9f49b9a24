// Where the fields of an id map lie and how ids are hashed (docs/bundle.md, "Ids"): one place for its reader and its writer.
#pragma once

#include <cstdint>
#include <string_view>

namespace rankd::store::layout {

constexpr std::string_view kIdMagic = "RKDIDS01";
constexpr uint64_t kKeyKind = 12, kCount = 16, kSlotCount = 24, kSlotsOffset = 32, kKeysOffset = 40, kTextOffset = 48;
constexpr uint64_t kTextBytes = 56, kIdHeaderBytes = 64;

constexpr uint64_t kMaxIds = 0xFFFFFFFEu;  // row + 1 fits a slot's low half and no row is kNoRow
constexpr uint64_t kMaxIdBytes = 256;

/// fmix64, the finaliser of MurmurHash3: every bit of the key moves every bit of the hash.
constexpr uint64_t hash_id(uint64_t key) {
    key ^= key >> 33;
    key *= 0xFF51AFD7ED558CCDull;
    key ^= key >> 33;
    key *= 0xC4CEB9FE1A85EC53ull;
    return key ^ key >> 33;
}

/// FNV-1a over the bytes, finished by fmix64, since FNV alone leaves the high bits of short texts poor.
constexpr uint64_t hash_id(std::string_view key) {
    uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : key) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3ull;
    return hash_id(hash);
}

// A slot: the hash's high half as a tag, then row + 1; an empty slot is 0.
constexpr uint64_t make_slot(uint64_t hash, uint32_t row) {
    return (hash & 0xFFFFFFFF00000000ull) | (uint64_t{row} + 1);
}
constexpr bool slot_is_empty(uint64_t slot) {
    return static_cast<uint32_t>(slot) == 0;
}
constexpr uint32_t slot_row(uint64_t slot) {
    return static_cast<uint32_t>(slot) - 1;
}
constexpr bool tag_matches(uint64_t slot, uint64_t hash) {
    return (slot ^ hash) >> 32 == 0;
}

}  // namespace rankd::store::layout
