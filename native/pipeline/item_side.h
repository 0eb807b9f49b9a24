// What a ranking graph computes of an item alone, computed once at load: a table per result, and the graph that is left to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/factor.h"
#include "pipeline/plan.h"

namespace rankd::pipeline {

class Catalogue;

struct ItemSideOptions {
    uint64_t max_bytes = 0;   ///< the tables may take so much memory; 0 = none, the graph serves as it is
    float tolerance = 1e-4f;  ///< of the outputs, relative above 1: else the graph serves as it is
};

/// Immutable after `build`, so safe on any thread.
class ItemSide {
  public:
    /// Takes the graph apart, computes the tables and compares both forms on sampled items.
    /// @param file  the graph's ONNX file
    /// @return nullptr, with the reason, when the graph has no such part, the tables would be too large, the outputs differ, or
    /// it
    ///         would be no faster
    static std::unique_ptr<ItemSide> build(const Graph& graph, const std::filesystem::path& file,
                                           const session::SessionFactory& open, const ItemSideOptions& options,
                                           std::string& reason);

    /// What is left of the graph, and its inputs; those of From::kItem with `item_result` are ours.
    session::Session& rest() const { return *rest_; }
    const std::vector<GraphInput>& inputs() const { return inputs_; }
    uint64_t bytes() const;

    /// Result `result` of rows, into `out` [rows, width]; changed and new items are computed anew. @return MODEL_FAILED
    Status gather(uint32_t result, const Catalogue& items, std::span<const uint32_t> rows, float* out) const;

  private:
    ItemSide() = default;
    Status open_sessions(const Graph& graph, const graph::Factored& factored, const session::SessionFactory& open);
    Status compute_tables();
    Status compute(std::span<const uint32_t> rows, const Catalogue* items, std::span<const char* const> names,
                   std::span<float* const> out) const;
    void copy_stored(uint32_t result, std::span<const uint32_t> rows, float* out) const;
    void resolve_inputs(const Graph& graph);
    /// Empty when the rest gives what the graph gives, in less time.
    std::string find_fault(const Graph& graph, float tolerance) const;

    struct Result {
        std::string name;
        uint32_t width = 0;
        std::vector<float> values;  ///< [rows + 1, width]; the last row is that of an item without features
    };

    std::unique_ptr<session::Session> per_item_, rest_;
    std::vector<const store::Column*> columns_;  ///< of per_item's inputs, in their order
    uint32_t row_count_ = 0;
    std::vector<Result> results_;
    std::vector<InputSpec> specs_;  ///< of our inputs of the rest
    std::vector<GraphInput> inputs_;
};

}  // namespace rankd::pipeline
