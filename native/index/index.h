// Nearest neighbours behind one interface: exact scans and HNSW answer the same questions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::index {

enum class Kind : uint32_t { kExactF32 = 1, kExactI8 = 2, kHnswF32 = 3 };
/// Score = dot product; for kCosine the stored vectors are unit length and queries are normalised on the way in.
enum class Metric : uint32_t { kDot = 1, kCosine = 2 };
std::string_view kind_name(Kind kind);
std::string_view metric_name(Metric metric);

struct Neighbor {
    uint32_t row = 0;
    float score = 0;  ///< higher is better
};

/// Buffers of one executor for searches; reused, so that a steady state allocates nothing of ours.
struct Scratch {
    std::vector<float> query;
    std::vector<int8_t> query_i8;
    std::vector<float> scores;
    std::vector<Neighbor> heap;
    // HNSW: a row was visited in this search when its mark equals `visit`; indexes of any size share the marks.
    std::vector<uint16_t> visited;
    uint16_t visit = 0;
    std::vector<Neighbor> candidates;
    std::vector<uint32_t> rows;
};

/// Immutable after opening, so safe on any thread.
class Index {
  public:
    virtual ~Index() = default;

    virtual Kind kind() const = 0;
    virtual Metric metric() const = 0;
    virtual uint32_t dim() const = 0;
    virtual uint32_t size() const = 0;  ///< rows are 0..size()-1

    /// The `out.size()` best rows, best first, ties by lower row. @return how many were found (fewer when the index is smaller)
    /// @param query [dim] float32
    virtual size_t search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const = 0;

    /// The exact-as-stored score of each row against one query; rows past the end score 0.
    virtual void score_rows(std::span<const float> query, std::span<const uint32_t> rows, Scratch& scratch,
                            std::span<float> out) const = 0;

    /// The stored vector of a row as float32 [dim] (dequantised for int8).
    virtual void vector(uint32_t row, std::span<float> out) const = 0;

    /// Bytes this index keeps in memory beyond the mapped file.
    virtual size_t resident_bytes() const = 0;
};

/// Opens any index file, checking every offset, row and link. @return BUNDLE_INVALID
Result<std::unique_ptr<Index>> open_index(const std::filesystem::path& path);

struct BuildOptions {
    Kind kind = Kind::kExactF32;
    Metric metric = Metric::kCosine;
    uint32_t m = 16;                 ///< HNSW: links per element (twice as many at level 0); more = recall and memory
    uint32_t ef_construction = 200;  ///< HNSW: candidates while building; more = recall and build time
    uint32_t ef_search = 128;        ///< HNSW: candidates while searching; never below k
    uint32_t seed = 0;
};

/// Writes an index over `vectors` [count, dim] float32 row-major. @return INVALID_ARGUMENT, NOT_FINITE
Status build_index(const std::filesystem::path& path, std::span<const float> vectors, uint32_t dim, const BuildOptions& options);

/// Share of the exact k best that `index` finds, over every `step`-th stored vector as the query.
double measure_recall(const Index& index, const Index& exact, uint32_t k, uint32_t query_count);

}  // namespace rankd::index
