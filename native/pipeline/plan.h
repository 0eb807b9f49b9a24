// A manifest with every name resolved: what the stages read while they run. Immutable after the bundle has been opened.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "index/index.h"
#include "pipeline/manifest.h"
#include "session/session.h"
#include "store/id_map.h"
#include "store/table.h"

namespace rankd::pipeline {

struct Source;
class ItemSide;

/// One input of a graph, in the order the graph declares.
struct GraphInput {
    const InputSpec* spec = nullptr;
    ElementType type = ElementType::kF32;
    uint32_t rank = 2;
    uint32_t width = 1;  ///< values per row
    const store::Column* column = nullptr;
    std::vector<const Source*> sources;   ///< from kSources
    std::optional<uint32_t> item_result;  ///< from kItem: a result of the graph's item side instead of a column
};

struct GraphOutput {
    std::string name;
    uint32_t rank = 2;
    uint32_t width = 1;
};

/// What the rows of a graph's outputs are.
enum class Level : uint8_t { kUser, kCandidate, kRow };

struct Graph {
    Graph();
    ~Graph();

    const GraphSpec* spec = nullptr;
    std::unique_ptr<session::Session> session;  ///< the file as it is
    std::unique_ptr<ItemSide> item_side;        ///< stages run its rest instead, when there is one
    std::string why_no_item_side;
    std::vector<GraphInput> inputs;
    std::vector<GraphOutput> outputs;
    Level level = Level::kUser;
    bool has_row_user = false;  ///< without it, user inputs are repeated for every candidate
    size_t max_run_rows = 0;    ///< runs over several requests stay at or below it, so that what they read fits the caches

    const GraphOutput* output(std::string_view name) const;
    const GraphInput* rows_input() const;

    /// What stages run, and what they feed it.
    session::Session& serving_session() const;
    std::span<const GraphInput> serving_inputs() const;
};

/// The query of an index source: one output of a user graph, or (without graph) the stored vector of the request's item.
struct Query {
    const Graph* graph = nullptr;
    uint32_t output = 0;
};

struct Source {
    std::string name;
    SourceKind kind = SourceKind::kList;
    uint32_t k = 100;
    const index::Index* index = nullptr;
    Query query;
    const store::Column* rows = nullptr;
    const store::Column* weights = nullptr;
};

struct Attribute {
    std::string name;
    const store::Column* column = nullptr;
    const store::IdMap* ids = nullptr;
};

struct LookupStage {};
struct RetrieveStage {
    std::vector<const Source*> sources;
};
struct FilterStage {
    bool seen = false;
    std::vector<Attribute> attributes;
};
struct ScoreStage {
    const Graph* graph = nullptr;
    uint32_t output = 0;
};
struct SelectStage {
    uint32_t k = 10;
    const Source* fallback = nullptr;
};
using Stage = std::variant<LookupStage, RetrieveStage, FilterStage, ScoreStage, SelectStage>;

/// One operation: its stages in order, and what several of them need to know about the others.
struct Plan {
    std::vector<Stage> stages;
    std::vector<const Source*> scored_sources;  ///< sources whose score is an input of the graph that ranks
    std::vector<std::string> feature_names;     ///< what `features`, `context` and candidates may carry
    std::vector<std::string> context_names;
    std::vector<std::string> candidate_feature_names;

    template <typename StageType>
    const StageType* find() const {
        for (const Stage& stage : stages)
            if (const auto* found = std::get_if<StageType>(&stage)) return found;
        return nullptr;
    }
};

/// The resources of a bundle by the names the manifest gives them.
struct Resources {
    std::map<std::string, std::unique_ptr<store::IdMap>> ids;
    std::map<std::string, std::unique_ptr<store::Table>> tables;
    std::map<std::string, std::unique_ptr<index::Index>> indexes;
    std::map<std::string, std::unique_ptr<Graph>> graphs;
    std::vector<std::unique_ptr<Source>> sources;

    /// "table.column". @return BUNDLE_SIGNATURE_MISMATCH naming what is missing and who asked
    Result<const store::Column*> column(const std::string& reference, const std::string& asked_by) const;
    const Source* source(std::string_view name) const;
};

/// Creates the sources of every retrieve stage; graphs must be there.
Status resolve_sources(const Manifest& manifest, Resources& resources);
/// The tensor of that name, or nullptr.
const session::TensorInfo* find_tensor(std::span<const session::TensorInfo> tensors, std::string_view name);
/// "a, b, c", for messages that say what there is.
std::string names_of(std::span<const session::TensorInfo> tensors);
/// How many rows of such inputs one run over several requests should have at most.
size_t max_run_rows(std::span<const GraphInput> inputs);
/// Matches a graph's declared inputs with what its session wants: names, types, widths. @return BUNDLE_SIGNATURE_MISMATCH
Status resolve_graph_inputs(const GraphSpec& spec, Resources& resources, Graph& graph);
/// Builds the plan of one operation.
Result<Plan> resolve_operation(wire::Operation operation, const std::vector<StageSpec>& stages, const Resources& resources);

}  // namespace rankd::pipeline
