// Opens any index file as the kind it is, and measures how good an approximate one is.
#include "index/index.h"

#include <algorithm>

#include "index/index_kinds.h"

namespace rankd::index {

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::kExactF32:
            return "exact_f32";
        case Kind::kExactI8:
            return "exact_i8";
        case Kind::kHnswF32:
            return "hnsw";
    }
    return "unknown";
}

std::string_view metric_name(Metric metric) {
    return metric == Metric::kDot ? "dot" : "cosine";
}

Result<std::unique_ptr<Index>> open_index(const std::filesystem::path& path) {
    RANKD_ASSIGN_OR_RETURN(IndexFile file, IndexFile::open(path));
    if (file.kind == Kind::kHnswF32) return HnswIndex::create(std::move(file));
    if (file.kind == Kind::kExactI8) return std::unique_ptr<Index>(new ExactI8Index(std::move(file)));
    return std::unique_ptr<Index>(new ExactF32Index(std::move(file)));
}

double measure_recall(const Index& index, const Index& exact, uint32_t k, uint32_t query_count) {
    const uint32_t step = std::max(exact.size() / std::max(query_count, 1u), 1u);
    std::vector<float> query(exact.dim());
    std::vector<Neighbor> found(std::min(k, index.size())), expected(std::min(k, exact.size()));
    Scratch scratch;
    const auto by_row = [](const Neighbor& a, const Neighbor& b) { return a.row < b.row; };
    uint64_t hits = 0, total = 0;
    for (uint64_t row = 0; row < exact.size(); row += step) {
        exact.vector(static_cast<uint32_t>(row), query);
        const size_t found_count = index.search(query, scratch, found);
        const size_t expected_count = exact.search(query, scratch, expected);
        std::sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(found_count), by_row);
        for (size_t i = 0; i < expected_count; ++i) {
            hits +=
                std::binary_search(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(found_count), expected[i], by_row);
        }
        total += expected_count;
    }
    return total == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(total);
}

}  // namespace rankd::index
