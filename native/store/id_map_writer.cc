// Writes id maps: keys in row order, and a hash table over them that is mapped as it is.
#include <bit>
#include <string>
#include <vector>

#include "base/binary_file.h"
#include "base/utf8.h"
#include "store/id_map.h"
#include "store/id_map_layout.h"

namespace rankd::store {
namespace {

std::string shown(uint64_t key) {
    return std::to_string(key);
}
std::string shown(std::string_view key) {
    return std::string("\"").append(key).append("\"");
}

/// The slots of all keys; fails on a key that is there twice.
template <typename Key>
Result<std::vector<uint64_t>> fill_slots(std::span<const Key> keys) {
    if (keys.size() > layout::kMaxIds) {
        return Status(Code::INVALID_ARGUMENT,
                      "an id map holds at most " + std::to_string(layout::kMaxIds) + " ids, got " + std::to_string(keys.size()));
    }
    std::vector<uint64_t> slots(std::bit_ceil((keys.size() * 4 + 2) / 3), 0);  // at most three quarters full
    const uint64_t mask = slots.size() - 1;
    for (size_t row = 0; row < keys.size(); ++row) {
        const uint64_t hash = layout::hash_id(keys[row]);
        uint64_t at = hash & mask;
        for (; !layout::slot_is_empty(slots[at]); at = (at + 1) & mask) {
            if (layout::tag_matches(slots[at], hash) && keys[layout::slot_row(slots[at])] == keys[row]) {
                return Status(Code::INVALID_ARGUMENT, "id " + shown(keys[row]) + " is in row " +
                                                          std::to_string(layout::slot_row(slots[at])) + " and again in row " +
                                                          std::to_string(row));
            }
        }
        slots[at] = layout::make_slot(hash, static_cast<uint32_t>(row));
    }
    return slots;
}

/// Header, slots and keys; a text map's bytes follow.
template <typename Key>
void append_map(BinaryWriter& writer, KeyKind kind, uint64_t count, std::span<const uint64_t> slots, std::span<const Key> keys,
                std::string_view text) {
    const uint64_t slots_offset = aligned(layout::kIdHeaderBytes);
    const uint64_t keys_offset = aligned(slots_offset + slots.size_bytes());
    const uint64_t text_offset = aligned(keys_offset + keys.size_bytes());
    writer.append(layout::kIdMagic.data(), layout::kIdMagic.size());
    writer.append_value(uint32_t{1});
    writer.append_value(static_cast<uint32_t>(kind));
    writer.append_value(count);
    writer.append_value(uint64_t{slots.size()});
    writer.append_value(slots_offset);
    writer.append_value(keys_offset);
    writer.append_value(text_offset);
    writer.append_value(uint64_t{text.size()});
    writer.pad_to(slots_offset);
    writer.append_values(slots);
    writer.pad_to(keys_offset);
    writer.append_values(keys);
    writer.pad_to(text_offset);
    writer.append(text.data(), text.size());
}

}  // namespace

Status write_id_map(const std::filesystem::path& path, std::span<const uint64_t> keys) {
    RANKD_ASSIGN_OR_RETURN(const std::vector<uint64_t> slots, fill_slots(keys));
    BinaryWriter writer(path);
    append_map(writer, KeyKind::kU64, keys.size(), std::span(slots), keys, {});
    return writer.commit();
}

Status write_id_map(const std::filesystem::path& path, std::span<const std::string_view> keys) {
    std::vector<uint32_t> offsets = {0};
    std::string text;
    for (size_t row = 0; row < keys.size(); ++row) {
        if (keys[row].empty() || keys[row].size() > layout::kMaxIdBytes || !is_utf8(keys[row])) {
            return Status(Code::INVALID_ARGUMENT, "id " + shown(keys[row].substr(0, layout::kMaxIdBytes)) + " of row " +
                                                      std::to_string(row) + " has " + std::to_string(keys[row].size()) +
                                                      " bytes, expected 1 to " + std::to_string(layout::kMaxIdBytes) +
                                                      " of UTF-8");
        }
        text += keys[row];
        if (text.size() > 0xFFFFFFFFu) return Status(Code::INVALID_ARGUMENT, "the ids have more than 4 GiB of text");
        offsets.push_back(static_cast<uint32_t>(text.size()));
    }
    RANKD_ASSIGN_OR_RETURN(const std::vector<uint64_t> slots, fill_slots(keys));
    BinaryWriter writer(path);
    append_map(writer, KeyKind::kText, keys.size(), std::span(slots), std::span<const uint32_t>(offsets), text);
    return writer.commit();
}

}  // namespace rankd::store
