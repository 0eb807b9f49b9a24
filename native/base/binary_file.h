// What tables, id maps and indexes have in common as files: sections checked on the way in, written whole or not at all on the
// way out.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/mapped_file.h"
#include "base/status.h"

namespace rankd {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian and mapped as they are");

constexpr uint64_t kSectionAlignment = 64;  ///< a cache line: sections can be read by whole vectors

/// The next multiple of the section alignment.
constexpr uint64_t aligned(uint64_t offset) {
    return (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

/// Reads a mapped file with suspicion: every answer names the file, the field and the values that do not fit.
class BinaryReader {
  public:
    /// Maps `path` and checks magic, format number and that the header is there.
    static Result<BinaryReader> open(const std::filesystem::path& path, std::string_view magic, uint64_t header_bytes);

    /// A header field; `offset` lies in the checked header.
    template <typename T>
    T field(uint64_t offset) const {
        T value;
        std::memcpy(&value, file_.data() + offset, sizeof(T));
        return value;
    }

    /// The bytes of a section, when it is aligned, within the file and exactly `expected` bytes long.
    Result<const uint8_t*> section(std::string_view name, uint64_t offset, uint64_t bytes, uint64_t expected) const;

    Status invalid(const std::string& what) const { return Status(Code::BUNDLE_INVALID, path_.string() + ": " + what); }
    const uint8_t* data() const { return file_.data(); }
    uint64_t size() const { return file_.size(); }
    MappedFile take_file() { return std::move(file_); }

  private:
    std::filesystem::path path_;
    MappedFile file_;
};

/// a * b, or UINT64_MAX where that does not fit: larger than any file, so that the comparison with a size fails.
uint64_t saturating_product(uint64_t a, uint64_t b);

/// Writes beside the target and renames at the end, so that nobody ever sees half a file.
class BinaryWriter {
  public:
    explicit BinaryWriter(const std::filesystem::path& path);
    BinaryWriter(const BinaryWriter&) = delete;
    BinaryWriter& operator=(const BinaryWriter&) = delete;
    ~BinaryWriter();

    /// The first failure is kept and told by `commit`.
    void append(const void* data, uint64_t bytes);
    template <typename T>
    void append_value(T value) {
        append(&value, sizeof(T));
    }
    template <typename T>
    void append_values(std::span<const T> values) {
        append(values.data(), values.size_bytes());
    }
    /// Zeros up to `offset`, which is not behind what was written.
    void pad_to(uint64_t offset);

    uint64_t size() const { return size_; }

    /// Flushes to the disk and renames. @return INVALID_ARGUMENT when the path cannot be written
    Status commit();

  private:
    void fail(const char* what);

    std::filesystem::path path_, temporary_;
    std::FILE* file_ = nullptr;
    uint64_t size_ = 0;
    Status status_;
};

}  // namespace rankd
