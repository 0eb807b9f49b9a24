// Opens a table: nothing is read through a descriptor that was not checked first.
#include "store/table.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <set>

#include "base/binary_file.h"
#include "base/utf8.h"
#include "kernels/kernels.h"
#include "store/table_layout.h"

namespace rankd::store {
namespace {

constexpr size_t kPrefetchRows = 16;  // measured best for rows of 256 B to 1 KiB (a random load costs about 200 ns)
constexpr size_t kLineBytes = 64;

void prefetch(const uint8_t* data, size_t bytes) {
    for (size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(data + at);
}

/// What `gather` and `pool` accept; a pipeline checks its columns when it is built.
[[maybe_unused]] bool holds_numbers(DType dtype) {
    return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kI8;
}

/// Name of a descriptor: UTF-8, then NULs to its end.
Result<std::string> read_name(const BinaryReader& reader, uint64_t descriptor, uint32_t index) {
    const char* field = reinterpret_cast<const char*>(reader.data() + descriptor);
    const std::string_view whole(field, layout::kNameBytes);
    const size_t length = std::min(whole.find('\0'), whole.size());
    const std::string_view name = whole.substr(0, length);
    if (name.empty() || !is_utf8(name) || whole.find_first_not_of('\0', length) != std::string_view::npos) {
        return reader.invalid("column " + std::to_string(index) + " has a name that is empty, not UTF-8 or not padded with NULs");
    }
    return std::string(name);
}

Status check_scales(const BinaryReader& reader, const std::string& subject, const uint8_t* scales, uint64_t row_count) {
    for (uint64_t row = 0; row < row_count; ++row) {
        float scale;
        std::memcpy(&scale, scales + row * sizeof(float), sizeof(float));
        if (!std::isfinite(scale))
            return reader.invalid(subject + ": the scale of row " + std::to_string(row) + " is not finite");
    }
    return Status::ok();
}

Status check_offsets(const BinaryReader& reader, const std::string& subject, const uint32_t* offsets, uint64_t row_count,
                     uint64_t value_count) {
    for (uint64_t row = 0; row < row_count; ++row) {
        if (offsets[row] > offsets[row + 1]) {
            return reader.invalid(subject + ": the offsets fall from " + std::to_string(offsets[row]) + " to " +
                                  std::to_string(offsets[row + 1]) + " at row " + std::to_string(row));
        }
    }
    if (offsets[0] != 0 || offsets[row_count] != value_count) {
        return reader.invalid(subject + ": the offsets run from " + std::to_string(offsets[0]) + " to " +
                              std::to_string(offsets[row_count]) + ", expected 0 to " + std::to_string(value_count));
    }
    return Status::ok();
}

}  // namespace

std::string_view dtype_name(DType dtype) {
    switch (dtype) {
        case DType::kF32:
            return "f32";
        case DType::kF16:
            return "f16";
        case DType::kI8:
            return "i8";
        case DType::kU32:
            return "u32";
        case DType::kU64:
            return "u64";
        case DType::kRaggedU32:
            return "ragged";
    }
    return "unknown";
}

Result<std::unique_ptr<Table>> Table::open(const std::filesystem::path& path) {
    RANKD_ASSIGN_OR_RETURN(BinaryReader reader, BinaryReader::open(path, layout::kMagic, layout::kHeaderBytes));
    const auto column_count = reader.field<uint32_t>(layout::kColumnCount);
    const auto row_count = reader.field<uint64_t>(layout::kRowCount);
    const auto file_bytes = reader.field<uint64_t>(layout::kFileBytes);
    if (file_bytes != reader.size()) {
        return reader.invalid("says it has " + std::to_string(file_bytes) + " bytes but has " + std::to_string(reader.size()));
    }
    if (column_count > layout::kMaxColumns || row_count > layout::kMaxRows ||
        reader.field<uint64_t>(layout::kHeaderReserved) != 0) {
        return reader.invalid("has " + std::to_string(column_count) + " columns and " + std::to_string(row_count) +
                              " rows, at most " + std::to_string(layout::kMaxColumns) + " and " +
                              std::to_string(layout::kMaxRows) + " are allowed, and a reserved field that must be 0");
    }
    if (layout::descriptor(column_count) > reader.size()) {
        return reader.invalid(std::to_string(column_count) + " column descriptors do not fit its " +
                              std::to_string(reader.size()) + " bytes");
    }

    auto table = std::make_unique<Table>();
    table->row_count_ = row_count;
    std::set<std::string_view> names;
    table->columns_.reserve(column_count);  // names must not move: the set views them
    for (uint32_t index = 0; index < column_count; ++index) {
        const uint64_t at = layout::descriptor(index);
        Column& column = table->columns_.emplace_back();
        RANKD_ASSIGN_OR_RETURN(column.name_, read_name(reader, at, index));
        const std::string subject = "column \"" + column.name_ + "\"";
        if (!names.insert(column.name_).second) return reader.invalid(subject + " is there twice");
        column.dtype_ = static_cast<DType>(reader.field<uint32_t>(at + layout::kDType));
        column.width_ = reader.field<uint32_t>(at + layout::kWidth);
        column.row_count_ = row_count;

        const bool ragged = column.dtype_ == DType::kRaggedU32;
        const uint64_t value_bytes = layout::value_bytes(column.dtype_);
        if (value_bytes == 0) {
            return reader.invalid(subject + " has the unknown dtype " + std::to_string(static_cast<uint32_t>(column.dtype_)));
        }
        if (ragged ? column.width_ != 0 : column.width_ == 0) {
            return reader.invalid(subject + " is " + std::string(dtype_name(column.dtype_)) + " with width " +
                                  std::to_string(column.width_));
        }
        if (reader.field<uint64_t>(at + layout::kDescriptorReserved) != 0) {
            return reader.invalid(subject + " has a reserved field that is not 0");
        }

        const auto data_bytes = reader.field<uint64_t>(at + layout::kDataBytes);
        const uint64_t expected = ragged ? data_bytes / value_bytes * value_bytes
                                         : saturating_product(saturating_product(row_count, column.width_), value_bytes);
        RANKD_ASSIGN_OR_RETURN(column.data_, reader.section(subject + ": data", reader.field<uint64_t>(at + layout::kDataOffset),
                                                            data_bytes, expected));
        RANKD_ASSIGN_OR_RETURN(column.aux_, reader.section(subject + ": aux", reader.field<uint64_t>(at + layout::kAuxOffset),
                                                           reader.field<uint64_t>(at + layout::kAuxBytes),
                                                           layout::aux_bytes(column.dtype_, row_count)));
        if (column.dtype_ == DType::kI8) RANKD_RETURN_IF_ERROR(check_scales(reader, subject, column.aux_, row_count));
        if (ragged) {
            RANKD_RETURN_IF_ERROR(check_offsets(reader, subject, reinterpret_cast<const uint32_t*>(column.aux_), row_count,
                                                data_bytes / value_bytes));
        }
    }
    table->file_ = reader.take_file();
    return table;
}

const Column* Table::column(std::string_view name) const {
    const auto found =
        std::find_if(columns_.begin(), columns_.end(), [&](const Column& column) { return column.name() == name; });
    return found == columns_.end() ? nullptr : &*found;
}

size_t Column::gather(std::span<const uint32_t> rows, float* out, size_t stride) const {
    assert(holds_numbers(dtype_));
    const kernels::Kernels& kernels = kernels::kernels();
    const size_t row_bytes = width_ * layout::value_bytes(dtype_);
    size_t missing = 0;
    for (size_t i = 0; i < rows.size(); ++i, out += stride) {
        if (i + kPrefetchRows < rows.size() && rows[i + kPrefetchRows] < row_count_) {
            prefetch(data_ + rows[i + kPrefetchRows] * row_bytes, row_bytes);
        }
        const uint32_t row = rows[i];
        if (row >= row_count_) {
            std::fill_n(out, width_, 0.0f);
            ++missing;
            continue;
        }
        const uint8_t* source = data_ + row * row_bytes;
        if (dtype_ == DType::kF16) {
            kernels.widen_f16(reinterpret_cast<const uint16_t*>(source), out, width_);
        } else if (dtype_ == DType::kI8) {
            kernels.widen_i8(reinterpret_cast<const int8_t*>(source), reinterpret_cast<const float*>(aux_)[row], out, width_);
        } else {
            std::memcpy(out, source, row_bytes);
        }
    }
    return missing;
}

size_t Column::pool(std::span<const uint32_t> rows, Pool how, float* out) const {
    assert(holds_numbers(dtype_));
    const kernels::Kernels& kernels = kernels::kernels();
    const size_t row_bytes = width_ * layout::value_bytes(dtype_);
    std::fill_n(out, width_, 0.0f);
    size_t taken = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (i + kPrefetchRows < rows.size() && rows[i + kPrefetchRows] < row_count_) {
            prefetch(data_ + rows[i + kPrefetchRows] * row_bytes, row_bytes);
        }
        const uint32_t row = rows[i];
        if (row >= row_count_) continue;
        ++taken;
        const uint8_t* source = data_ + row * row_bytes;
        if (dtype_ == DType::kF16) {
            kernels.add_f16(reinterpret_cast<const uint16_t*>(source), out, width_);
        } else if (dtype_ == DType::kI8) {
            kernels.add_i8(reinterpret_cast<const int8_t*>(source), reinterpret_cast<const float*>(aux_)[row], out, width_);
        } else {
            kernels.add_f32(reinterpret_cast<const float*>(source), out, width_);
        }
    }
    if (how == Pool::kMean && taken > 1) {
        for (uint32_t i = 0; i < width_; ++i) out[i] /= static_cast<float>(taken);
    }
    return taken;
}

std::span<const uint32_t> Column::u32_row(uint64_t row) const {
    if (row >= row_count_) return {};
    const auto* values = reinterpret_cast<const uint32_t*>(data_);
    if (dtype_ == DType::kU32) return {values + row * width_, width_};
    if (dtype_ != DType::kRaggedU32) return {};
    const auto* offsets = reinterpret_cast<const uint32_t*>(aux_);
    return {values + offsets[row], offsets[row + 1] - offsets[row]};
}

std::span<const uint64_t> Column::u64_row(uint64_t row) const {
    if (row >= row_count_ || dtype_ != DType::kU64) return {};
    return {reinterpret_cast<const uint64_t*>(data_) + row * width_, width_};
}

}  // namespace rankd::store
