// Where the fields of a table file lie (docs/bundle.md, "Tables"): one place for its reader and its writer.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/table.h"

namespace rankd::store::layout {

constexpr std::string_view kMagic = "RKDTABL1";
constexpr uint32_t kMaxColumns = 1024;
constexpr uint64_t kMaxRows = 0xFFFFFFFFu;  // rows are u32 and the last number means "no row"
constexpr uint64_t kNameBytes = 48;

// Header.
constexpr uint64_t kColumnCount = 12, kRowCount = 16, kFileBytes = 24, kHeaderReserved = 32, kHeaderBytes = 40;

// Descriptor, from its own start.
constexpr uint64_t kDType = 48, kWidth = 52, kDataOffset = 56, kDataBytes = 64, kAuxOffset = 72, kAuxBytes = 80;
constexpr uint64_t kDescriptorReserved = 88, kDescriptorBytes = 96;

constexpr uint64_t descriptor(uint64_t index) {
    return kHeaderBytes + index * kDescriptorBytes;
}

/// Bytes of one value; 0 for a dtype that does not exist.
constexpr uint64_t value_bytes(DType dtype) {
    switch (dtype) {
        case DType::kI8:
            return 1;
        case DType::kF16:
            return 2;
        case DType::kF32:
        case DType::kU32:
        case DType::kRaggedU32:
            return 4;
        case DType::kU64:
            return 8;
    }
    return 0;
}

/// Scales of an int8 column, offsets of a ragged one.
constexpr uint64_t aux_bytes(DType dtype, uint64_t row_count) {
    if (dtype == DType::kI8) return row_count * sizeof(float);
    if (dtype == DType::kRaggedU32) return (row_count + 1) * sizeof(uint32_t);
    return 0;
}

}  // namespace rankd::store::layout
