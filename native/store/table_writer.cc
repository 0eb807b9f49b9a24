// Writes tables: float32 columns narrowed to half precision or to int8 with a scale per row, everything else as it comes.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/binary_file.h"
#include "base/utf8.h"
#include "store/table.h"
#include "store/table_layout.h"

namespace rankd::store {
namespace {

/// Float32 to half precision, to the nearest, ties to even. Too large becomes infinite.
uint16_t narrow(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return sign | 0x7E00;   // NaN
    if (magnitude >= 0x47800000) return sign | 0x7C00;  // 2^16 and beyond
    if (magnitude < 0x38800000) {                       // below 2^-14: subnormal, in units of 2^-24
        // Adding 0.5 puts the lowest kept bit at the end of the fraction, so that the addition rounds.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f));
    }
    const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
    return sign | static_cast<uint16_t>((rounded - 0x38000000) >> 13);
}

Status not_representable(const ColumnSpec& column, uint64_t index, float value) {
    const uint64_t row = index / column.width;
    return Status(std::isfinite(value) ? Code::INVALID_ARGUMENT : Code::NOT_FINITE,
                  "column \"" + column.name + "\", row " + std::to_string(row) + ": " + std::to_string(value) +
                      " cannot be stored as " + std::string(dtype_name(column.dtype)));
}

Status append_f16(BinaryWriter& writer, const ColumnSpec& column) {
    const std::span source(static_cast<const float*>(column.data), column.value_count);
    std::vector<uint16_t> narrowed(column.width);
    for (uint64_t at = 0; at < source.size(); at += column.width) {
        for (uint32_t i = 0; i < column.width; ++i) {
            narrowed[i] = narrow(source[at + i]);
            if ((narrowed[i] & 0x7C00) == 0x7C00) return not_representable(column, at + i, source[at + i]);
        }
        writer.append_values(std::span<const uint16_t>(narrowed));
    }
    return Status::ok();
}

/// value = int8 * scale, scale = largest magnitude of the row / 127. The scales are for the caller to write.
Status append_i8(BinaryWriter& writer, const ColumnSpec& column, std::vector<float>& scales) {
    const std::span source(static_cast<const float*>(column.data), column.value_count);
    std::vector<int8_t> quantised(column.width);
    for (uint64_t at = 0; at < source.size(); at += column.width) {
        const std::span row = source.subspan(at, column.width);
        float largest = 0;
        for (uint32_t i = 0; i < column.width; ++i) {
            if (!std::isfinite(row[i])) return not_representable(column, at + i, row[i]);
            largest = std::max(largest, std::fabs(row[i]));
        }
        const float scale = largest / 127;
        // A row of subnormals can have scale 0; it is stored as zeros.
        for (uint32_t i = 0; i < column.width; ++i) {
            quantised[i] = scale > 0 ? static_cast<int8_t>(std::lrintf(std::clamp(row[i] / scale, -127.0f, 127.0f))) : int8_t{0};
        }
        scales.push_back(scale);
        writer.append_values(std::span<const int8_t>(quantised));
    }
    return Status::ok();
}

Status check(const ColumnSpec& column, uint64_t row_count) {
    const std::string subject = "column \"" + column.name + "\"";
    if (column.name.empty() || column.name.size() > layout::kNameBytes || !is_utf8(column.name) ||
        column.name.find('\0') != std::string::npos) {
        return Status(Code::INVALID_ARGUMENT,
                      subject + ": a name has 1 to " + std::to_string(layout::kNameBytes) + " bytes of UTF-8");
    }
    if (column.dtype == DType::kRaggedU32) {
        if (column.width != 0 || column.offsets.size() != row_count + 1) {
            return Status(Code::INVALID_ARGUMENT, subject + ": expected width 0 and " + std::to_string(row_count + 1) +
                                                      " offsets (rows + 1), got width " + std::to_string(column.width) + " and " +
                                                      std::to_string(column.offsets.size()));
        }
        if (!std::is_sorted(column.offsets.begin(), column.offsets.end()) || column.offsets.front() != 0 ||
            column.offsets.back() != column.value_count) {
            return Status(Code::INVALID_ARGUMENT,
                          subject + ": offsets must rise from 0 to the number of values, " + std::to_string(column.value_count));
        }
        return Status::ok();
    }
    const uint64_t expected = saturating_product(row_count, column.width);
    if (column.width == 0 || column.value_count != expected) {
        return Status(Code::INVALID_ARGUMENT, subject + ": expected " + std::to_string(expected) + " values (" +
                                                  std::to_string(row_count) + " rows x width " + std::to_string(column.width) +
                                                  "), got " + std::to_string(column.value_count));
    }
    return Status::ok();
}

/// Where the sections of a column go.
struct Placement {
    uint64_t data_offset, data_bytes, aux_offset, aux_bytes;
};

void append_descriptor(BinaryWriter& writer, const ColumnSpec& column, const Placement& place) {
    char name[layout::kNameBytes] = {};
    std::memcpy(name, column.name.data(), column.name.size());
    writer.append(name, sizeof(name));
    writer.append_value(static_cast<uint32_t>(column.dtype));
    writer.append_value(column.width);
    writer.append_value(place.data_offset);
    writer.append_value(place.data_bytes);
    writer.append_value(place.aux_offset);
    writer.append_value(place.aux_bytes);
    writer.append_value(uint64_t{0});
}

Status append_sections(BinaryWriter& writer, const ColumnSpec& column, const Placement& place) {
    writer.pad_to(place.data_offset);
    std::vector<float> scales;
    if (column.dtype == DType::kF16) {
        RANKD_RETURN_IF_ERROR(append_f16(writer, column));
    } else if (column.dtype == DType::kI8) {
        RANKD_RETURN_IF_ERROR(append_i8(writer, column, scales));
    } else {
        writer.append(column.data, place.data_bytes);
    }
    writer.pad_to(place.aux_offset);
    writer.append_values(std::span<const float>(scales));
    writer.append_values(column.offsets);
    return Status::ok();
}

}  // namespace

Status write_table(const std::filesystem::path& path, uint64_t row_count, std::span<const ColumnSpec> columns) {
    if (columns.size() > layout::kMaxColumns || row_count > layout::kMaxRows) {
        return Status(Code::INVALID_ARGUMENT, "a table holds at most " + std::to_string(layout::kMaxColumns) + " columns and " +
                                                  std::to_string(layout::kMaxRows) + " rows, got " +
                                                  std::to_string(columns.size()) + " and " + std::to_string(row_count));
    }
    std::set<std::string_view> names;
    std::vector<Placement> places;
    uint64_t end = layout::descriptor(columns.size());
    for (const ColumnSpec& column : columns) {
        RANKD_RETURN_IF_ERROR(check(column, row_count));
        if (!names.insert(column.name).second)
            return Status(Code::INVALID_ARGUMENT, "column \"" + column.name + "\" is there twice");
        Placement place;
        place.data_offset = aligned(end);
        place.data_bytes = column.value_count * layout::value_bytes(column.dtype);
        place.aux_bytes = layout::aux_bytes(column.dtype, row_count);
        place.aux_offset = place.aux_bytes == 0 ? 0 : aligned(place.data_offset + place.data_bytes);
        end = std::max(place.data_offset + place.data_bytes, place.aux_offset + place.aux_bytes);
        places.push_back(place);
    }

    BinaryWriter writer(path);
    writer.append(layout::kMagic.data(), layout::kMagic.size());
    writer.append_value(uint32_t{1});
    writer.append_value(static_cast<uint32_t>(columns.size()));
    writer.append_value(row_count);
    writer.append_value(end);
    writer.append_value(uint64_t{0});
    for (size_t i = 0; i < columns.size(); ++i) append_descriptor(writer, columns[i], places[i]);
    for (size_t i = 0; i < columns.size(); ++i) RANKD_RETURN_IF_ERROR(append_sections(writer, columns[i], places[i]));
    return writer.commit();
}

}  // namespace rankd::store
