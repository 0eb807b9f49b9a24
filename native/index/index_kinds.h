// The three kinds of index behind the interface; only open_index makes them.
#pragma once

#include "index/index_file.h"

namespace rankd::index {

/// What the exact and the HNSW index over float32 vectors share: everything but the search.
class F32Index : public Index {
  public:
    Kind kind() const final { return file_.kind; }
    Metric metric() const final { return file_.metric; }
    uint32_t dim() const final { return file_.dim; }
    uint32_t size() const final { return file_.count; }
    void score_rows(std::span<const float> query, std::span<const uint32_t> rows, Scratch& scratch,
                    std::span<float> out) const final;
    void vector(uint32_t row, std::span<float> out) const final;

  protected:
    explicit F32Index(IndexFile file) : file_(std::move(file)) {}

    /// The query as it is compared: of unit length for cosine (then it lies in `scratch`).
    const float* prepare(std::span<const float> query, Scratch& scratch) const;
    size_t search_all(const float* query, Scratch& scratch, std::span<Neighbor> out) const;

    IndexFile file_;
};

class ExactF32Index final : public F32Index {
  public:
    explicit ExactF32Index(IndexFile file) : F32Index(std::move(file)) {}
    size_t search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const override;
    size_t resident_bytes() const override { return 0; }
};

/// int8 rows with a scale each; a query is quantised likewise, so that a search touches a quarter of the memory.
class ExactI8Index final : public Index {
  public:
    explicit ExactI8Index(IndexFile file) : file_(std::move(file)) {}
    Kind kind() const override { return file_.kind; }
    Metric metric() const override { return file_.metric; }
    uint32_t dim() const override { return file_.dim; }
    uint32_t size() const override { return file_.count; }
    size_t search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const override;
    void score_rows(std::span<const float> query, std::span<const uint32_t> rows, Scratch& scratch,
                    std::span<float> out) const override;
    void vector(uint32_t row, std::span<float> out) const override;
    size_t resident_bytes() const override { return 0; }

  private:
    /// Quantises the query into `scratch`. @return its scale
    float prepare(std::span<const float> query, Scratch& scratch) const;

    IndexFile file_;
};

/// Hierarchical navigable small worlds (Malkov & Yashunin 2018), searched in the mapped file: the graph is never copied.
class HnswIndex final : public F32Index {
  public:
    /// Checks every level, list and link. @return BUNDLE_INVALID
    static Result<std::unique_ptr<Index>> create(IndexFile file);
    size_t search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const override;
    size_t resident_bytes() const override { return list_offsets_.capacity() * sizeof(uint32_t); }

  private:
    explicit HnswIndex(IndexFile file) : F32Index(std::move(file)) {}

    Status check_graph();
    std::span<const uint32_t> links(uint32_t row, uint32_t level) const;
    /// Walks greedily through the upper levels. @return where level 0 is entered
    Neighbor descend(const float* query, Scratch& scratch) const;
    /// Leaves the `ef` best rows found at level 0 in `scratch.heap`, best first. @return how many
    size_t search_layer(const float* query, Neighbor entry, size_t ef, Scratch& scratch) const;

    uint32_t entry_row_ = 0;
    uint32_t max_level_ = 0;
    const uint8_t* levels_ = nullptr;
    const uint32_t* lists_ = nullptr;
    std::vector<uint32_t> list_offsets_;  ///< where each row's lists begin, in words of `lists_`
};

}  // namespace rankd::index
