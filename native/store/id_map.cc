// Looks ids up in a mapped hash table; opening checks what probing relies on.
#include "store/id_map.h"

#include <algorithm>
#include <bit>

#include "base/binary_file.h"
#include "base/utf8.h"
#include "store/id_map_layout.h"

namespace rankd::store {
namespace {

constexpr size_t kBlock = 32;  // look-ups in flight at once; their hashes and rows stay in the first cache

/// Every occupied slot names a row, and as many are occupied as there are ids: then some are empty, and probing ends.
Status check_slots(const BinaryReader& reader, std::span<const uint64_t> slots, uint64_t count) {
    uint64_t occupied = 0;
    for (const uint64_t slot : slots) {
        if (layout::slot_is_empty(slot)) continue;
        ++occupied;
        if (layout::slot_row(slot) >= count) {
            return reader.invalid("a slot names row " + std::to_string(layout::slot_row(slot)) + " of " + std::to_string(count));
        }
    }
    if (occupied != count) {
        return reader.invalid(std::to_string(occupied) + " slots are occupied, expected one for each of " +
                              std::to_string(count) + " ids");
    }
    return Status::ok();
}

Status check_texts(const BinaryReader& reader, const uint32_t* offsets, uint64_t count, const char* text, uint64_t text_bytes) {
    if (offsets[0] != 0 || offsets[count] != text_bytes) {
        return reader.invalid("the text offsets run from " + std::to_string(offsets[0]) + " to " +
                              std::to_string(offsets[count]) + ", expected 0 to " + std::to_string(text_bytes));
    }
    for (uint64_t row = 0; row < count; ++row) {
        const uint64_t from = offsets[row], to = offsets[row + 1];
        if (to <= from || to - from > layout::kMaxIdBytes || to > text_bytes) {
            return reader.invalid("the id of row " + std::to_string(row) + " lies from " + std::to_string(from) + " to " +
                                  std::to_string(to) + " in " + std::to_string(text_bytes) + " bytes of text; an id has 1 to " +
                                  std::to_string(layout::kMaxIdBytes) + " bytes");
        }
        if (!is_utf8({text + from, to - from})) return reader.invalid("the id of row " + std::to_string(row) + " is not UTF-8");
    }
    return Status::ok();
}

/// The row under `hash` for which `matches(row)` holds, by linear probing.
template <typename Matches>
uint32_t probe(const uint64_t* slots, uint64_t mask, uint64_t hash, Matches matches) {
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        const uint64_t slot = slots[at];
        if (layout::slot_is_empty(slot)) return kNoRow;
        if (layout::tag_matches(slot, hash) && matches(layout::slot_row(slot))) return layout::slot_row(slot);
    }
}

/// Three passes over each block, so that its cache misses overlap: hash and fetch slots, probe by tag and fetch keys, compare.
/// Tags of 32 bits rarely lie; where one does, `find` probes again with the keys.
template <typename Key, typename Prefetch, typename Matches, typename Find>
void find_blocks(const uint64_t* slots, uint64_t mask, std::span<const Key> keys, std::span<uint32_t> rows, Prefetch prefetch_key,
                 Matches matches, Find find) {
    uint64_t hashes[kBlock];
    for (size_t start = 0; start < keys.size(); start += kBlock) {
        const std::span<const Key> block = keys.subspan(start, std::min(kBlock, keys.size() - start));
        for (size_t i = 0; i < block.size(); ++i) {
            hashes[i] = layout::hash_id(block[i]);
            __builtin_prefetch(slots + (hashes[i] & mask));
        }
        for (size_t i = 0; i < block.size(); ++i) {
            const uint32_t row = probe(slots, mask, hashes[i], [](uint32_t) { return true; });
            if (row != kNoRow) prefetch_key(row);
            rows[start + i] = row;
        }
        for (size_t i = 0; i < block.size(); ++i) {
            uint32_t& row = rows[start + i];
            if (row != kNoRow && !matches(row, block[i])) row = find(block[i]);
        }
    }
}

}  // namespace

Result<std::unique_ptr<IdMap>> IdMap::open(const std::filesystem::path& path) {
    RANKD_ASSIGN_OR_RETURN(BinaryReader reader, BinaryReader::open(path, layout::kIdMagic, layout::kIdHeaderBytes));
    const auto key_kind = reader.field<uint32_t>(layout::kKeyKind);
    const auto count = reader.field<uint64_t>(layout::kCount);
    const auto slot_count = reader.field<uint64_t>(layout::kSlotCount);
    const auto text_bytes = reader.field<uint64_t>(layout::kTextBytes);
    const bool is_text = key_kind == static_cast<uint32_t>(KeyKind::kText);
    if (!is_text && key_kind != static_cast<uint32_t>(KeyKind::kU64)) {
        return reader.invalid("has key kind " + std::to_string(key_kind) + ", expected 1 (u64) or 2 (text)");
    }
    if (count > layout::kMaxIds) {
        return reader.invalid("has " + std::to_string(count) + " ids, at most " + std::to_string(layout::kMaxIds) +
                              " are allowed");
    }
    if (!std::has_single_bit(slot_count) || slot_count <= count) {
        return reader.invalid("has " + std::to_string(slot_count) + " slots for " + std::to_string(count) +
                              " ids, expected a power of two that is larger");
    }
    const uint64_t slot_bytes = saturating_product(slot_count, sizeof(uint64_t));
    RANKD_ASSIGN_OR_RETURN(const uint8_t* slots,
                           reader.section("slots", reader.field<uint64_t>(layout::kSlotsOffset), slot_bytes, slot_bytes));
    const uint64_t key_bytes = is_text ? (count + 1) * sizeof(uint32_t) : count * sizeof(uint64_t);
    RANKD_ASSIGN_OR_RETURN(const uint8_t* keys,
                           reader.section("keys", reader.field<uint64_t>(layout::kKeysOffset), key_bytes, key_bytes));
    const auto text_offset = reader.field<uint64_t>(layout::kTextOffset);
    RANKD_ASSIGN_OR_RETURN(const uint8_t* text, reader.section("text", text_offset, text_bytes, is_text ? text_bytes : 0));

    auto map = std::make_unique<IdMap>();
    map->key_kind_ = static_cast<KeyKind>(key_kind);
    map->count_ = static_cast<uint32_t>(count);
    map->slot_mask_ = slot_count - 1;
    map->slots_ = reinterpret_cast<const uint64_t*>(slots);
    RANKD_RETURN_IF_ERROR(check_slots(reader, {map->slots_, slot_count}, count));
    if (is_text) {
        map->text_offsets_ = reinterpret_cast<const uint32_t*>(keys);
        map->text_ = reinterpret_cast<const char*>(text);
        RANKD_RETURN_IF_ERROR(check_texts(reader, map->text_offsets_, count, map->text_, text_bytes));
    } else {
        map->integer_keys_ = reinterpret_cast<const uint64_t*>(keys);
    }
    map->file_ = reader.take_file();
    return map;
}

uint64_t IdMap::integer_at(uint32_t row) const {
    return integer_keys_[row];
}

std::string_view IdMap::text_at(uint32_t row) const {
    return {text_ + text_offsets_[row], text_offsets_[row + 1] - text_offsets_[row]};
}

uint32_t IdMap::find(uint64_t key) const {
    if (key_kind_ != KeyKind::kU64) return kNoRow;
    return probe(slots_, slot_mask_, layout::hash_id(key), [&](uint32_t row) { return integer_at(row) == key; });
}

uint32_t IdMap::find(std::string_view key) const {
    if (key_kind_ != KeyKind::kText) return kNoRow;
    return probe(slots_, slot_mask_, layout::hash_id(key), [&](uint32_t row) { return text_at(row) == key; });
}

void IdMap::find_many(std::span<const uint64_t> keys, std::span<uint32_t> rows) const {
    if (key_kind_ != KeyKind::kU64) {
        std::fill_n(rows.begin(), keys.size(), kNoRow);
        return;
    }
    find_blocks(
        slots_, slot_mask_, keys, rows, [&](uint32_t row) { __builtin_prefetch(integer_keys_ + row); },
        [&](uint32_t row, uint64_t key) { return integer_at(row) == key; }, [&](uint64_t key) { return find(key); });
}

void IdMap::find_many(std::span<const std::string_view> keys, std::span<uint32_t> rows) const {
    if (key_kind_ != KeyKind::kText) {
        std::fill_n(rows.begin(), keys.size(), kNoRow);
        return;
    }
    find_blocks(
        slots_, slot_mask_, keys, rows, [&](uint32_t row) { __builtin_prefetch(text_offsets_ + row); },
        [&](uint32_t row, std::string_view key) { return text_at(row) == key; }, [&](std::string_view key) { return find(key); });
}

}  // namespace rankd::store
