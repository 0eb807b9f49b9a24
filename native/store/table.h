// Columnar tables of features and embeddings, mapped from a bundle and never copied. Layout: docs/bundle.md, "Tables".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/status.h"

namespace rankd::store {

enum class DType : uint32_t { kF32 = 1, kF16 = 2, kI8 = 3, kU32 = 4, kU64 = 5, kRaggedU32 = 6 };
std::string_view dtype_name(DType dtype);

/// One column of a mapped table; valid as long as its table lives. Immutable, so safe on any thread.
class Column {
  public:
    std::string_view name() const { return name_; }
    DType dtype() const { return dtype_; }
    uint32_t width() const { return width_; }  ///< values per row; 0 for a ragged column
    uint64_t row_count() const { return row_count_; }

    /// Copies rows as float32 into `out` [rows, width] with `stride` floats between rows; f32, f16 and i8 columns only.
    /// A row at or past the table's end becomes zeros. @return how many rows were missing.
    size_t gather(std::span<const uint32_t> rows, float* out, size_t stride) const;

    /// Mean or sum of `rows` into `out` [width]; rows past the end are left out. @return how many rows took part.
    enum class Pool : uint8_t { kMean, kSum };
    size_t pool(std::span<const uint32_t> rows, Pool how, float* out) const;

    /// The values of one row of a u32 column (`width` of them) or of a ragged column; empty past the end.
    std::span<const uint32_t> u32_row(uint64_t row) const;
    std::span<const uint64_t> u64_row(uint64_t row) const;

  private:
    friend class Table;
    std::string name_;
    DType dtype_ = DType::kF32;
    uint32_t width_ = 0;
    uint64_t row_count_ = 0;
    const uint8_t* data_ = nullptr;
    const uint8_t* aux_ = nullptr;  ///< i8: float32 scale per row; ragged: u32 offsets [rows + 1]
};

class Table {
  public:
    /// Maps and checks a table: magic, bounds, alignment, offsets. @return BUNDLE_INVALID naming file and column
    static Result<std::unique_ptr<Table>> open(const std::filesystem::path& path);

    uint64_t row_count() const { return row_count_; }
    std::span<const Column> columns() const { return columns_; }
    const Column* column(std::string_view name) const;  ///< nullptr when there is none

  private:
    MappedFile file_;
    uint64_t row_count_ = 0;
    std::vector<Column> columns_;
};

/// What `write_table` needs of one column; the spans stay the caller's.
struct ColumnSpec {
    std::string name;
    DType dtype = DType::kF32;
    uint32_t width = 1;
    const void* data = nullptr;  ///< source values: f32 for kF32, kF16, kI8 (converted here), u32, u64, or ragged values
    uint64_t value_count = 0;
    std::span<const uint32_t> offsets;  ///< ragged only: [rows + 1]
};
Status write_table(const std::filesystem::path& path, uint64_t row_count, std::span<const ColumnSpec> columns);

}  // namespace rankd::store
