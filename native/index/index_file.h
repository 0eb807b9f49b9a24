// An index file with its sections checked (docs/bundle.md, "Indexes"): one place for the fields that reader and writer share.
#pragma once

#include <string_view>

#include "base/binary_file.h"
#include "index/index.h"

namespace rankd::index {

namespace layout {
constexpr std::string_view kMagic = "RKDINDX1";
constexpr uint64_t kKind = 12, kMetric = 16, kDim = 20, kCount = 24, kM = 32, kEfConstruction = 36, kEfSearch = 40;
constexpr uint64_t kVectors = 48, kScales = 64, kGraph = 80, kHeaderBytes = 96;  // each an offset and a length

constexpr uint32_t kMaxDim = 65536;          // int8 dot products of this length still fit int32
constexpr uint64_t kMaxCount = 0xFFFFFFFEu;  // rows are u32, the last number means "no row"
constexpr uint32_t kMinM = 2, kMaxM = 256;
constexpr uint32_t kMaxEf = 1u << 20;

/// Where the links begin: after entry row, top level and the level of each row, padded to 8.
constexpr uint64_t links_offset(uint64_t count) {
    return 8 + (count + 7) / 8 * 8;
}
/// The most links a row may have at a level.
constexpr uint32_t max_links(uint32_t m, uint32_t level) {
    return level == 0 ? 2 * m : m;
}
}  // namespace layout

/// Parameters and sections of one open index; the pointers live as long as `file`.
struct IndexFile {
    Kind kind;
    Metric metric;
    uint32_t dim = 0;
    uint32_t count = 0;
    uint32_t m = 0;
    uint32_t ef_search = 0;
    const float* vectors = nullptr;      ///< kinds f32
    const int8_t* vectors_i8 = nullptr;  ///< kind int8
    const float* scales = nullptr;       ///< kind int8
    const uint8_t* graph = nullptr;      ///< kind HNSW
    uint64_t graph_bytes = 0;
    BinaryReader reader;

    static Result<IndexFile> open(const std::filesystem::path& path);
};

}  // namespace rankd::index
