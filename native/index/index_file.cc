// Checks header, sections and numbers of an index file; the graph's links are checked by hnsw_index.cc.
#include "index/index_file.h"

namespace rankd::index {
namespace {

/// Infinities and NaN have all exponent bits set; compared as integers, so that the loop is vectorised.
bool all_finite(const float* values, uint64_t count) {
    constexpr uint32_t kExponent = 0x7F800000u;
    uint32_t found = 0;
    for (uint64_t i = 0; i < count; ++i) found |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent;
    return found == 0;
}

}  // namespace

Result<IndexFile> IndexFile::open(const std::filesystem::path& path) {
    IndexFile file;
    RANKD_ASSIGN_OR_RETURN(file.reader, BinaryReader::open(path, layout::kMagic, layout::kHeaderBytes));
    const BinaryReader& reader = file.reader;
    const auto kind = reader.field<uint32_t>(layout::kKind), metric = reader.field<uint32_t>(layout::kMetric);
    const auto count = reader.field<uint64_t>(layout::kCount);
    file.dim = reader.field<uint32_t>(layout::kDim);
    if (kind < 1 || kind > 3) return reader.invalid("has kind " + std::to_string(kind) + ", expected 1, 2 or 3");
    if (metric < 1 || metric > 2) return reader.invalid("has metric " + std::to_string(metric) + ", expected 1 or 2");
    if (file.dim < 1 || file.dim > layout::kMaxDim || count < 1 || count > layout::kMaxCount) {
        return reader.invalid("holds " + std::to_string(count) + " vectors of " + std::to_string(file.dim) +
                              " dimensions, expected 1 to " + std::to_string(layout::kMaxCount) + " of 1 to " +
                              std::to_string(layout::kMaxDim));
    }
    file.kind = static_cast<Kind>(kind);
    file.metric = static_cast<Metric>(metric);
    file.count = static_cast<uint32_t>(count);
    file.m = reader.field<uint32_t>(layout::kM);
    file.ef_search = reader.field<uint32_t>(layout::kEfSearch);

    const auto section = [&](std::string_view name, uint64_t at, uint64_t expected) {
        return reader.section(name, reader.field<uint64_t>(at), reader.field<uint64_t>(at + 8), expected);
    };
    const bool is_i8 = file.kind == Kind::kExactI8, is_hnsw = file.kind == Kind::kHnswF32;
    const uint64_t values = count * file.dim;  // below 2^49
    RANKD_ASSIGN_OR_RETURN(const uint8_t* vectors, section("vectors", layout::kVectors, is_i8 ? values : values * sizeof(float)));
    RANKD_ASSIGN_OR_RETURN(const uint8_t* scales, section("scales", layout::kScales, is_i8 ? count * sizeof(float) : 0));
    file.graph_bytes = reader.field<uint64_t>(layout::kGraph + 8);
    RANKD_ASSIGN_OR_RETURN(file.graph, section("graph", layout::kGraph, is_hnsw ? file.graph_bytes : 0));
    if (is_i8) {
        file.vectors_i8 = reinterpret_cast<const int8_t*>(vectors);
        file.scales = reinterpret_cast<const float*>(scales);
        if (!all_finite(file.scales, count)) return reader.invalid("scales hold a number that is not finite");
    } else {
        file.vectors = reinterpret_cast<const float*>(vectors);
        if (!all_finite(file.vectors, values)) return reader.invalid("vectors hold a number that is not finite");
    }
    return file;
}

}  // namespace rankd::index
