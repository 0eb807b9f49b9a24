// A mapped hash table from the caller's id to our row and back; loading builds nothing. Layout: docs/bundle.md, "Ids".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "base/mapped_file.h"
#include "base/status.h"

namespace rankd::store {

constexpr uint32_t kNoRow = 0xFFFFFFFFu;

enum class KeyKind : uint32_t { kU64 = 1, kText = 2 };

/// Immutable, so safe on any thread.
class IdMap {
  public:
    /// Maps and checks: magic, bounds, slot rows, text offsets. @return BUNDLE_INVALID
    static Result<std::unique_ptr<IdMap>> open(const std::filesystem::path& path);

    KeyKind key_kind() const { return key_kind_; }
    uint32_t size() const { return count_; }

    /// The row of an id, or kNoRow; an id of the other kind is unknown.
    uint32_t find(uint64_t key) const;
    uint32_t find(std::string_view key) const;

    /// Rows of many ids at once, their slots prefetched ahead of use.
    void find_many(std::span<const uint64_t> keys, std::span<uint32_t> rows) const;
    void find_many(std::span<const std::string_view> keys, std::span<uint32_t> rows) const;

    uint64_t integer_at(uint32_t row) const;       ///< kU64 maps; row < size()
    std::string_view text_at(uint32_t row) const;  ///< kText maps; row < size()

  private:
    MappedFile file_;
    KeyKind key_kind_ = KeyKind::kText;
    uint32_t count_ = 0;
    uint64_t slot_mask_ = 0;
    const uint64_t* slots_ = nullptr;
    const uint64_t* integer_keys_ = nullptr;
    const uint32_t* text_offsets_ = nullptr;
    const char* text_ = nullptr;
};

/// @return INVALID_ARGUMENT for a duplicate, empty or over-long (256 bytes) id, naming it and its row
Status write_id_map(const std::filesystem::path& path, std::span<const uint64_t> keys);
Status write_id_map(const std::filesystem::path& path, std::span<const std::string_view> keys);

}  // namespace rankd::store
