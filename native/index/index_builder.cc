// Builds index files; HNSW graphs are grown by hnswlib, on one thread and from a seed, so that equal input gives equal bytes.
#include <cmath>
#include <exception>
#include <string>

// hnswlib's prefetches read one link past the end of a full list; its own SIMD distances are not needed, since ours are used.
#define NO_MANUAL_VECTORIZATION
#include "hnswlib/hnswlib.h"
#include "index/index_file.h"
#include "index/vector_math.h"
#include "kernels/kernels.h"

namespace rankd::index {
namespace {

/// Our kernels as hnswlib's distance: smaller is nearer, so the negated dot product.
class DotSpace final : public hnswlib::SpaceInterface<float> {
  public:
    explicit DotSpace(size_t dim) : dim_(dim) {}
    size_t get_data_size() override { return dim_ * sizeof(float); }
    hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
    void* get_dist_func_param() override { return &dim_; }

  private:
    static float distance(const void* a, const void* b, const void* dim) {
        return -kernels::kernels().dot_f32(static_cast<const float*>(a), static_cast<const float*>(b),
                                           *static_cast<const size_t*>(dim));
    }
    size_t dim_;
};

using Graph = hnswlib::HierarchicalNSW<float>;

/// The graph section: rows were added in order, so hnswlib's internal numbers are our rows.
std::vector<uint8_t> serialise(Graph& graph, uint32_t count) {
    std::vector<uint8_t> bytes;
    const auto append = [&](const uint32_t* words, size_t word_count) {
        const auto* data = reinterpret_cast<const uint8_t*>(words);
        bytes.insert(bytes.end(), data, data + word_count * sizeof(uint32_t));
    };
    const uint32_t head[] = {graph.enterpoint_node_, static_cast<uint32_t>(graph.maxlevel_)};
    append(head, 2);
    for (uint32_t row = 0; row < count; ++row) bytes.push_back(static_cast<uint8_t>(graph.element_levels_[row]));
    bytes.resize(layout::links_offset(count));
    for (uint32_t row = 0; row < count; ++row) {
        for (int level = 0; level <= graph.element_levels_[row]; ++level) {
            hnswlib::linklistsizeint* list = graph.get_linklist_at_level(row, level);
            const uint32_t link_count = graph.getListCount(list);
            append(&link_count, 1);
            append(list + 1, link_count);
        }
    }
    return bytes;
}

Result<std::vector<uint8_t>> grow_graph(std::span<const float> vectors, uint32_t dim, const BuildOptions& options) {
    const auto count = static_cast<uint32_t>(vectors.size() / dim);
    try {
        DotSpace space(dim);
        Graph graph(&space, count, options.m, options.ef_construction, options.seed);
        for (uint32_t row = 0; row < count; ++row) graph.addPoint(vectors.data() + size_t{row} * dim, row);
        return serialise(graph, count);
    } catch (const std::exception& error) {
        return Status(Code::INTERNAL, std::string("hnswlib could not build the graph: ") + error.what());
    }
}

Status check(std::span<const float> vectors, uint32_t dim, const BuildOptions& options) {
    if (dim < 1 || dim > layout::kMaxDim) {
        return Status(Code::INVALID_ARGUMENT,
                      "vectors have " + std::to_string(dim) + " dimensions, expected 1 to " + std::to_string(layout::kMaxDim));
    }
    const uint64_t count = vectors.size() / dim;
    if (vectors.size() % dim != 0 || count < 1 || count > layout::kMaxCount) {
        return Status(Code::INVALID_ARGUMENT, "expected 1 to " + std::to_string(layout::kMaxCount) + " whole vectors of " +
                                                  std::to_string(dim) + " numbers, got " + std::to_string(vectors.size()) +
                                                  " numbers");
    }
    if (options.kind == Kind::kHnswF32 &&
        (options.m < layout::kMinM || options.m > layout::kMaxM || options.ef_construction < 1 ||
         options.ef_construction > layout::kMaxEf || options.ef_search < 1 || options.ef_search > layout::kMaxEf)) {
        return Status(Code::INVALID_ARGUMENT, "expected m in " + std::to_string(layout::kMinM) + ".." +
                                                  std::to_string(layout::kMaxM) + " and ef_construction and ef_search in 1.." +
                                                  std::to_string(layout::kMaxEf) + ", got " + std::to_string(options.m) + ", " +
                                                  std::to_string(options.ef_construction) + " and " +
                                                  std::to_string(options.ef_search));
    }
    for (size_t i = 0; i < vectors.size(); ++i) {
        if (!std::isfinite(vectors[i])) {
            return Status(Code::NOT_FINITE, "the vector of row " + std::to_string(i / dim) + " holds " +
                                                std::to_string(vectors[i]) + " at place " + std::to_string(i % dim));
        }
    }
    return Status::ok();
}

/// The sections of the file to be, in their order.
struct Sections {
    std::span<const uint8_t> vectors, scales, graph;
};

template <typename T>
std::span<const uint8_t> as_bytes(std::span<const T> values) {
    return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

Status write(const std::filesystem::path& path, uint64_t count, uint32_t dim, const BuildOptions& options,
             const Sections& sections) {
    const bool is_hnsw = options.kind == Kind::kHnswF32;
    BinaryWriter writer(path);
    writer.append(layout::kMagic.data(), layout::kMagic.size());
    writer.append_value(uint32_t{1});
    writer.append_value(static_cast<uint32_t>(options.kind));
    writer.append_value(static_cast<uint32_t>(options.metric));
    writer.append_value(dim);
    writer.append_value(count);
    for (const uint32_t parameter : {options.m, options.ef_construction, options.ef_search, options.seed}) {
        writer.append_value(is_hnsw ? parameter : 0u);
    }
    uint64_t end = layout::kHeaderBytes;
    for (const std::span<const uint8_t> section : {sections.vectors, sections.scales, sections.graph}) {
        writer.append_value(section.empty() ? uint64_t{0} : aligned(end));
        writer.append_value(uint64_t{section.size()});
        if (!section.empty()) end = aligned(end) + section.size();
    }
    for (const std::span<const uint8_t> section : {sections.vectors, sections.scales, sections.graph}) {
        if (section.empty()) continue;
        writer.pad_to(aligned(writer.size()));
        writer.append_values(section);
    }
    return writer.commit();
}

}  // namespace

Status build_index(const std::filesystem::path& path, std::span<const float> vectors, uint32_t dim, const BuildOptions& options) {
    RANKD_RETURN_IF_ERROR(check(vectors, dim, options));
    const uint64_t count = vectors.size() / dim;
    std::vector<float> unit;
    if (options.metric == Metric::kCosine) {
        unit.resize(vectors.size());
        for (size_t at = 0; at < vectors.size(); at += dim) normalise(vectors.subspan(at, dim), unit.data() + at);
        vectors = unit;
    }
    if (options.kind == Kind::kExactI8) {
        std::vector<int8_t> quantised(vectors.size());
        std::vector<float> scales(count);
        for (uint64_t row = 0; row < count; ++row)
            scales[row] = quantise(vectors.subspan(row * dim, dim), quantised.data() + row * dim);
        return write(path, count, dim, options,
                     {as_bytes(std::span<const int8_t>(quantised)), as_bytes(std::span<const float>(scales)), {}});
    }
    std::vector<uint8_t> graph;
    if (options.kind == Kind::kHnswF32) {
        RANKD_ASSIGN_OR_RETURN(graph, grow_graph(vectors, dim, options));
    }
    return write(path, count, dim, options, {as_bytes(vectors), {}, graph});
}

}  // namespace rankd::index
