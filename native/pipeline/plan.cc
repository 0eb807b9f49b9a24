// Resolves a manifest's names against the opened resources; every mismatch is found here, before the first request.
#include "pipeline/plan.h"

#include <algorithm>

#include "pipeline/item_side.h"

namespace rankd::pipeline {
namespace {

using session::TensorInfo;

Status mismatch(const std::string& where, const std::string& what) {
    return {Code::BUNDLE_SIGNATURE_MISMATCH, where + ": " + what};
}

bool is_user_level(From from) {
    return from == From::kUser || from == From::kHistory || from == From::kHistoryCount || from == From::kFeatures ||
           from == From::kContext;
}

/// Rank 1 is one value per row; of rank 2 the last dimension is the width.
Status read_shape(const std::string& where, const TensorInfo& info, uint32_t& rank, uint32_t& width) {
    rank = static_cast<uint32_t>(info.shape.size());
    if (rank != 1 && rank != 2) return mismatch(where, "has shape " + describe(info) + ", expected [rows] or [rows, width]");
    width = 1;
    if (rank == 2) {
        if (info.shape[1] < 1) return mismatch(where, "has shape " + describe(info) + ", expected a fixed width");
        width = static_cast<uint32_t>(info.shape[1]);
    }
    if (info.shape[0] > 0)
        return mismatch(where, "has shape " + describe(info) + ", expected a free first dimension: export it with dynamic rows");
    return Status::ok();
}

Status resolve_outputs(Graph& graph) {
    for (const std::string& name : graph.spec->outputs) {
        const std::string where = "graphs." + graph.spec->name + ".outputs." + name;
        const TensorInfo* info = find_tensor(graph.session->outputs(), name);
        if (info == nullptr)
            return mismatch(where,
                            "the graph " + graph.spec->file + " has no such output, only: " + names_of(graph.session->outputs()));
        if (info->type != ElementType::kF32) return mismatch(where, "is " + describe(*info) + ", expected float32");
        GraphOutput output;
        output.name = name;
        RANKD_RETURN_IF_ERROR(read_shape(where, *info, output.rank, output.width));
        graph.outputs.push_back(std::move(output));
    }
    return Status::ok();
}

Result<Query> resolve_query(const SourceSpec& spec, const std::string& where, const index::Index& index,
                            const Resources& resources) {
    Query query;
    if (spec.query_graph.empty()) return query;
    const auto found = resources.graphs.find(spec.query_graph);
    if (found == resources.graphs.end()) return mismatch(where, "there is no graph \"" + spec.query_graph + "\"");
    query.graph = found->second.get();
    const GraphOutput* output = query.graph->output(spec.query_output);
    if (output == nullptr)
        return mismatch(where, "graph \"" + spec.query_graph + "\" does not list the output \"" + spec.query_output + "\"");
    if (output->width != index.dim())
        return mismatch(where, "the query has width " + std::to_string(output->width) + ", the index \"" + spec.index +
                                   "\" has dimension " + std::to_string(index.dim()));
    query.output = static_cast<uint32_t>(output - query.graph->outputs.data());
    return query;
}

Result<std::unique_ptr<Source>> resolve_source(const SourceSpec& spec, const Resources& resources) {
    const std::string where = "source \"" + spec.name + "\"";
    auto source = std::make_unique<Source>();
    source->name = spec.name;
    source->kind = spec.kind;
    source->k = spec.k;
    if (spec.kind == SourceKind::kIndex) {
        const auto found = resources.indexes.find(spec.index);
        if (found == resources.indexes.end()) return mismatch(where, "there is no index \"" + spec.index + "\"");
        source->index = found->second.get();
        RANKD_ASSIGN_OR_RETURN(source->query, resolve_query(spec, where, *source->index, resources));
        return source;
    }
    RANKD_ASSIGN_OR_RETURN(source->rows, resources.column(spec.rows, where));
    if (source->rows->dtype() != store::DType::kU32) return mismatch(where, "column \"" + spec.rows + "\" must be u32");
    if (spec.kind == SourceKind::kNeighbours) {
        RANKD_ASSIGN_OR_RETURN(source->weights, resources.column(spec.weights, where));
        const bool is_float = source->weights->dtype() <= store::DType::kI8;
        if (!is_float || source->weights->width() != source->rows->width())
            return mismatch(
                where, "column \"" + spec.weights + "\" must hold f32, f16 or i8 of the same width as \"" + spec.rows + "\"");
    }
    return source;
}

/// How wide an input is by its origin; 0 when the graph alone decides.
Result<uint32_t> expected_width(const InputSpec& spec, const std::string& where, const Resources& resources, GraphInput& input) {
    if (!spec.column.empty()) {
        RANKD_ASSIGN_OR_RETURN(input.column, resources.column(spec.column, where));
        if (input.column->dtype() > store::DType::kI8)
            return mismatch(where, "column \"" + spec.column + "\" must hold f32, f16 or i8");
        return input.column->width();
    }
    for (const std::string& name : spec.names) {
        if (spec.from != From::kSources) break;
        const Source* source = resources.source(name);
        if (source == nullptr) return mismatch(where, "there is no retrieval source \"" + name + "\"");
        if (source->kind == SourceKind::kIndex && source->query.graph == nullptr)
            return mismatch(where, "source \"" + name + "\" has no query without the request's item");
        input.sources.push_back(source);
    }
    return spec.names.empty() ? 1u : static_cast<uint32_t>(spec.names.size());
}

Result<GraphInput> resolve_input(const InputSpec& spec, const TensorInfo& info, const std::string& where,
                                 const Resources& resources) {
    GraphInput input;
    input.spec = &spec;
    input.type = info.type;
    RANKD_RETURN_IF_ERROR(read_shape(where, info, input.rank, input.width));
    RANKD_ASSIGN_OR_RETURN(const uint32_t width, expected_width(spec, where, resources, input));
    if (input.width != width)
        return mismatch(
            where, "the graph wants width " + std::to_string(input.width) + ", the manifest provides " + std::to_string(width));
    const bool is_integer = info.type == ElementType::kI32 || info.type == ElementType::kI64;
    if (spec.from == From::kRowUser ? !is_integer : info.type != ElementType::kF32)
        return mismatch(where,
                        "is " + describe(info) + ", expected " + (spec.from == From::kRowUser ? "int64 or int32" : "float32"));
    return input;
}

Status resolve_level(Graph& graph) {
    bool has_candidates = false, has_rows = false, has_users = false;
    for (const GraphInput& input : graph.inputs) {
        const From from = input.spec->from;
        has_rows |= from == From::kRows;
        has_users |= is_user_level(from);
        has_candidates |= !is_user_level(from) && from != From::kRows;
        graph.has_row_user |= from == From::kRowUser;
    }
    if (has_rows && (has_users || has_candidates))
        return mismatch("graphs." + graph.spec->name, "\"rows\" inputs cannot be mixed with user or candidate inputs");
    graph.level = has_rows ? Level::kRow : has_candidates ? Level::kCandidate : Level::kUser;
    return Status::ok();
}

struct StageResolver {
    const Resources& resources;
    const std::string where;
    wire::Operation operation;
    bool has_filter;
    Plan& plan;

    Status operator()(const LookupSpec&) {
        plan.stages.emplace_back(LookupStage{});
        return Status::ok();
    }

    Status operator()(const RetrieveSpec& spec) {
        RetrieveStage stage;
        for (const SourceSpec& source : spec.sources) {
            stage.sources.push_back(resources.source(source.name));
            const bool is_similar = operation == wire::Operation::kSimilar;
            const bool from_item = source.kind == SourceKind::kIndex && source.query_graph.empty();
            const bool from_user = source.kind == SourceKind::kNeighbours || (source.kind == SourceKind::kIndex && !from_item);
            if (is_similar ? from_user : from_item)
                return mismatch(where,
                                "source \"" + source.name + "\" must take its query from the " + (is_similar ? "item" : "user"));
        }
        plan.stages.emplace_back(std::move(stage));
        add_missing_filter();
        return Status::ok();
    }

    /// The caller's own exclusions hold whether or not the manifest filters.
    void add_missing_filter() {
        if (!has_filter) plan.stages.emplace_back(FilterStage{});
    }

    Status operator()(const FilterSpec& spec) {
        FilterStage stage;
        stage.seen = spec.seen;
        for (const AttributeSpec& attribute : spec.attributes) {
            Attribute resolved;
            resolved.name = attribute.name;
            RANKD_ASSIGN_OR_RETURN(resolved.column, resources.column(attribute.column, where));
            const auto ids = resources.ids.find(attribute.ids);
            if (ids == resources.ids.end()) return mismatch(where, "there are no ids \"" + attribute.ids + "\"");
            if (resolved.column->dtype() != store::DType::kU32 || resolved.column->width() != 1)
                return mismatch(where, "column \"" + attribute.column + "\" must be u32 of width 1");
            resolved.ids = ids->second.get();
            stage.attributes.push_back(std::move(resolved));
        }
        plan.stages.emplace_back(std::move(stage));
        return Status::ok();
    }

    Status operator()(const ScoreSpec& spec) {
        const auto found = resources.graphs.find(spec.graph);
        if (found == resources.graphs.end()) return mismatch(where, "there is no graph \"" + spec.graph + "\"");
        ScoreStage stage;
        stage.graph = found->second.get();
        const Level level = operation == wire::Operation::kScore ? Level::kRow : Level::kCandidate;
        if (stage.graph->level != level)
            return mismatch(where, "graph \"" + spec.graph + "\" must take " + (level == Level::kRow ? "rows" : "candidates"));
        const GraphOutput* output = stage.graph->output(spec.output);
        if (output == nullptr || output->width != 1)
            return mismatch(where,
                            "graph \"" + spec.graph + "\" must list the output \"" + spec.output + "\" with one value per row");
        stage.output = static_cast<uint32_t>(output - stage.graph->outputs.data());
        if (operation == wire::Operation::kRank) add_missing_filter();
        for (const GraphInput& input : stage.graph->inputs)
            for (const Source* source : input.sources)
                if (std::find(plan.scored_sources.begin(), plan.scored_sources.end(), source) == plan.scored_sources.end())
                    plan.scored_sources.push_back(source);
        plan.stages.emplace_back(stage);
        return Status::ok();
    }

    Status operator()(const SelectSpec& spec) {
        SelectStage stage;
        stage.k = spec.k;
        if (!spec.fallback.empty()) {
            stage.fallback = resources.source(spec.fallback);
            if (stage.fallback == nullptr || stage.fallback->kind != SourceKind::kList)
                return mismatch(where, "fallback \"" + spec.fallback + "\" must name a source of kind list");
        }
        plan.stages.emplace_back(stage);
        return Status::ok();
    }
};

/// One run reads at most this much, about a quarter of a small L2: hidden layers are as wide, and the weights want room too. With
/// rows of 1 KiB runs of 200 take 15 % less time per row than runs of 4,096; longer ones only help graphs of a few µs.
constexpr size_t kRunBytes = 256 * 1024;
constexpr size_t kLeastRunRows = 16, kMostRunRows = 4096;

/// The names that requests of this operation may send, so that a slip is told and not ignored.
void collect_feature_names(Plan& plan) {
    const auto add = [&](const Graph* graph) {
        for (const GraphInput& input : graph->inputs) {
            std::vector<std::string>* names = input.spec->from == From::kFeatures            ? &plan.feature_names
                                              : input.spec->from == From::kContext           ? &plan.context_names
                                              : input.spec->from == From::kCandidateFeatures ? &plan.candidate_feature_names
                                                                                             : nullptr;
            if (names != nullptr) names->insert(names->end(), input.spec->names.begin(), input.spec->names.end());
        }
    };
    if (const auto* score = plan.find<ScoreStage>()) add(score->graph);
    for (const Source* source : plan.scored_sources)
        if (source->query.graph != nullptr) add(source->query.graph);
    if (const auto* retrieve = plan.find<RetrieveStage>())
        for (const Source* source : retrieve->sources)
            if (source->query.graph != nullptr) add(source->query.graph);
}

Status check_operation(wire::Operation operation, const std::string& where, const Plan& plan) {
    const bool has_retrieve = plan.find<RetrieveStage>() != nullptr;
    const bool has_score = plan.find<ScoreStage>() != nullptr;
    const bool has_select = plan.find<SelectStage>() != nullptr;
    switch (operation) {
        case wire::Operation::kRecommend:
        case wire::Operation::kSimilar:
            return has_retrieve && has_select ? Status::ok() : mismatch(where, "needs the stages retrieve and select");
        case wire::Operation::kRank:
            return has_score && has_select && !has_retrieve
                       ? Status::ok()
                       : mismatch(where, "needs the stages score and select, and no retrieve");
        case wire::Operation::kScore:
            return has_score && plan.stages.size() == 1 ? Status::ok() : mismatch(where, "has exactly the stage score");
        default:
            return mismatch(where, "is not served by this version");
    }
}

}  // namespace

const TensorInfo* find_tensor(std::span<const TensorInfo> tensors, std::string_view name) {
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo& info) { return info.name == name; });
    return found == tensors.end() ? nullptr : &*found;
}

std::string names_of(std::span<const TensorInfo> tensors) {
    std::string names;
    for (const TensorInfo& info : tensors) names += (names.empty() ? "" : ", ") + info.name;
    return names;
}

size_t max_run_rows(std::span<const GraphInput> inputs) {
    size_t row_bytes = 0;
    for (const GraphInput& input : inputs)
        if (!is_user_level(input.spec->from)) row_bytes += input.width * sizeof(float);
    return std::clamp(kRunBytes / std::max<size_t>(row_bytes, 1), kLeastRunRows, kMostRunRows);
}

Graph::Graph() = default;
Graph::~Graph() = default;

session::Session& Graph::serving_session() const {
    return item_side ? item_side->rest() : *session;
}

std::span<const GraphInput> Graph::serving_inputs() const {
    return item_side ? std::span<const GraphInput>(item_side->inputs()) : inputs;
}

const GraphOutput* Graph::output(std::string_view name) const {
    for (const GraphOutput& output : outputs)
        if (output.name == name) return &output;
    return nullptr;
}

const GraphInput* Graph::rows_input() const {
    for (const GraphInput& input : inputs)
        if (input.spec->from == From::kRows) return &input;
    return nullptr;
}

Result<const store::Column*> Resources::column(const std::string& reference, const std::string& asked_by) const {
    const size_t dot = reference.find('.');
    if (dot == std::string::npos) return mismatch(asked_by, "\"" + reference + "\" must be \"table.column\"");
    const auto table = tables.find(reference.substr(0, dot));
    if (table == tables.end()) return mismatch(asked_by, "there is no table \"" + reference.substr(0, dot) + "\"");
    const store::Column* column = table->second->column(reference.substr(dot + 1));
    if (column == nullptr) return mismatch(asked_by, "there is no column \"" + reference + "\"");
    return column;
}

const Source* Resources::source(std::string_view name) const {
    for (const auto& source : sources)
        if (source->name == name) return source.get();
    return nullptr;
}

Status resolve_sources(const Manifest& manifest, Resources& resources) {
    for (auto& [name, graph] : resources.graphs) RANKD_RETURN_IF_ERROR(resolve_outputs(*graph));
    for (const auto& [operation, stages] : manifest.operations) {
        for (const StageSpec& stage : stages) {
            const auto* retrieve = std::get_if<RetrieveSpec>(&stage);
            if (retrieve == nullptr) continue;
            for (const SourceSpec& spec : retrieve->sources) {
                if (resources.source(spec.name) != nullptr)
                    return mismatch("source \"" + spec.name + "\"", "the name is used twice");
                RANKD_ASSIGN_OR_RETURN(auto source, resolve_source(spec, resources));
                resources.sources.push_back(std::move(source));
            }
        }
    }
    return Status::ok();
}

Status resolve_graph_inputs(const GraphSpec& spec, Resources& resources, Graph& graph) {
    for (const InputSpec& input : spec.inputs) {
        if (find_tensor(graph.session->inputs(), input.name) == nullptr)
            return mismatch("graphs." + spec.name + ".inputs." + input.name,
                            "the graph " + spec.file + " has no such input, only: " + names_of(graph.session->inputs()));
    }
    for (const TensorInfo& info : graph.session->inputs()) {
        const std::string where = "graphs." + spec.name + ".inputs." + info.name;
        const auto found =
            std::find_if(spec.inputs.begin(), spec.inputs.end(), [&](const InputSpec& input) { return input.name == info.name; });
        if (found == spec.inputs.end())
            return mismatch(
                where, "the graph " + spec.file + " wants " + describe(info) + "; the manifest does not say where it comes from");
        RANKD_ASSIGN_OR_RETURN(GraphInput input, resolve_input(*found, info, where, resources));
        graph.inputs.push_back(std::move(input));
    }
    graph.max_run_rows = max_run_rows(graph.inputs);
    return resolve_level(graph);
}

Result<Plan> resolve_operation(wire::Operation operation, const std::vector<StageSpec>& stages, const Resources& resources) {
    Plan plan;
    const std::string where = "operations." + std::string(wire::operation_name(operation));
    const bool has_filter = std::any_of(stages.begin(), stages.end(),
                                        [](const StageSpec& stage) { return std::holds_alternative<FilterSpec>(stage); });
    StageResolver resolver{resources, where, operation, has_filter, plan};
    for (const StageSpec& stage : stages) RANKD_RETURN_IF_ERROR(std::visit(resolver, stage));
    collect_feature_names(plan);
    RANKD_RETURN_IF_ERROR(check_operation(operation, where, plan));
    return plan;
}

}  // namespace rankd::pipeline
