// Reads manifest.json strictly: every key is known, every type is checked, every message names the path of the key.
#include "pipeline/manifest.h"

#include <array>

#include "base/mapped_file.h"
#include "pipeline/json_fields.h"
#include "pipeline/read_infer.h"

namespace rankd::pipeline {
namespace {

using simdjson::dom::element;

template <typename Enum, size_t N>
Status choose(Fields& fields, std::string_view key, const std::array<std::pair<std::string_view, Enum>, N>& choices, Enum& out,
              bool required) {
    std::string text;
    RANKD_RETURN_IF_ERROR(fields.text(key, text, required));
    if (text.empty()) return Status::ok();
    std::string names;
    for (const auto& [name, value] : choices) {
        if (name == text) {
            out = value;
            return Status::ok();
        }
        names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return invalid(fields.path(key), "is \"" + text + "\", expected one of: " + names);
}

constexpr std::array<std::pair<std::string_view, From>, 10> kFroms = {{{"user", From::kUser},
                                                                       {"history", From::kHistory},
                                                                       {"history_count", From::kHistoryCount},
                                                                       {"features", From::kFeatures},
                                                                       {"context", From::kContext},
                                                                       {"item", From::kItem},
                                                                       {"candidate_features", From::kCandidateFeatures},
                                                                       {"sources", From::kSources},
                                                                       {"row_user", From::kRowUser},
                                                                       {"rows", From::kRows}}};
constexpr std::array<std::pair<std::string_view, SourceKind>, 3> kSourceKinds = {
    {{"index", SourceKind::kIndex}, {"neighbours", SourceKind::kNeighbours}, {"list", SourceKind::kList}}};
constexpr std::array<std::pair<std::string_view, store::Column::Pool>, 2> kPools = {
    {{"mean", store::Column::Pool::kMean}, {"sum", store::Column::Pool::kSum}}};

bool is_plain_file(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
           name.find('\0') == std::string_view::npos;
}

Status read_file_map(Fields& parent, std::string_view key, std::map<std::string, std::string>& out) {
    const auto value = parent.take(key);
    if (!value) return Status::ok();
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(*value, parent.path(key)));
    for (const auto& [name, entry] : fields.entries()) {
        std::string_view file;
        if (entry.get(file) != simdjson::SUCCESS || !is_plain_file(file))
            return invalid(fields.path(name), "must be the name of a file in the bundle");
        out.emplace(name, file);
    }
    return Status::ok();
}

Result<InputSpec> read_input(std::string_view name, const element& value, const std::string& where) {
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(value, where));
    InputSpec input;
    input.name = name;
    RANKD_RETURN_IF_ERROR(choose(fields, "from", kFroms, input.from, true));
    const bool has_column = input.from == From::kUser || input.from == From::kHistory || input.from == From::kItem;
    const bool has_names = input.from == From::kFeatures || input.from == From::kContext ||
                           input.from == From::kCandidateFeatures || input.from == From::kSources || input.from == From::kRows;
    if (has_column) RANKD_RETURN_IF_ERROR(fields.text("column", input.column, true));
    if (input.from == From::kHistory) {
        RANKD_RETURN_IF_ERROR(choose(fields, "pool", kPools, input.pool, false));
        uint32_t newest = 0;
        RANKD_RETURN_IF_ERROR(fields.count("newest", newest, 1));
        if (newest > 0) input.newest = newest;
    }
    if (has_names) {
        RANKD_RETURN_IF_ERROR(fields.texts("names", input.names));
        if (input.names.empty()) return invalid(fields.path("names"), "must list at least one name");
        if (input.from != From::kSources) RANKD_RETURN_IF_ERROR(fields.numbers("defaults", input.defaults));
        if (!input.defaults.empty() && input.defaults.size() != input.names.size())
            return invalid(fields.path("defaults"), "must have one number per name");
        input.defaults.resize(input.names.size(), 0.0f);
    }
    RANKD_RETURN_IF_ERROR(fields.finish());
    return input;
}

Result<GraphSpec> read_graph(std::string_view name, const element& value, const std::string& where) {
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(value, where));
    GraphSpec graph;
    graph.name = name;
    RANKD_RETURN_IF_ERROR(fields.text("file", graph.file, true));
    if (!is_plain_file(graph.file)) return invalid(fields.path("file"), "must be the name of a file in the bundle");
    const auto inputs = fields.take("inputs");
    if (!inputs) {
        graph.has_signature = false;
        RANKD_RETURN_IF_ERROR(fields.finish());
        return graph;
    }
    RANKD_ASSIGN_OR_RETURN(const Fields input_fields, Fields::of(*inputs, fields.path("inputs")));
    for (const auto& [input_name, input] : input_fields.entries()) {
        RANKD_ASSIGN_OR_RETURN(InputSpec spec, read_input(input_name, input, input_fields.path(input_name)));
        graph.inputs.push_back(std::move(spec));
    }
    RANKD_RETURN_IF_ERROR(fields.texts("outputs", graph.outputs));
    if (graph.outputs.empty()) return invalid(fields.path("outputs"), "must name at least one output");
    RANKD_RETURN_IF_ERROR(fields.finish());
    return graph;
}

Result<SourceSpec> read_source(const element& value, const std::string& where) {
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(value, where));
    SourceSpec source;
    RANKD_RETURN_IF_ERROR(fields.text("name", source.name, true));
    RANKD_RETURN_IF_ERROR(choose(fields, "kind", kSourceKinds, source.kind, true));
    RANKD_RETURN_IF_ERROR(fields.count("k", source.k, source.kind == SourceKind::kList ? 0 : 1));
    if (source.kind == SourceKind::kIndex) {
        RANKD_RETURN_IF_ERROR(fields.text("index", source.index, true));
        const auto query = fields.take("query");
        if (!query) return invalid(fields.path("query"), "is missing");
        RANKD_ASSIGN_OR_RETURN(Fields query_fields, Fields::of(*query, fields.path("query")));
        std::string from;
        RANKD_RETURN_IF_ERROR(query_fields.text("from", from));
        RANKD_RETURN_IF_ERROR(query_fields.text("graph", source.query_graph, from.empty()));
        RANKD_RETURN_IF_ERROR(query_fields.text("output", source.query_output, from.empty()));
        if (!from.empty() && (from != "item" || !source.query_graph.empty()))
            return invalid(fields.path("query"), "must be {\"graph\", \"output\"} or {\"from\": \"item\"}");
        RANKD_RETURN_IF_ERROR(query_fields.finish());
    } else {
        RANKD_RETURN_IF_ERROR(fields.text("rows", source.rows, true));
        if (source.kind == SourceKind::kNeighbours) RANKD_RETURN_IF_ERROR(fields.text("weights", source.weights, true));
    }
    RANKD_RETURN_IF_ERROR(fields.finish());
    return source;
}

Result<RetrieveSpec> read_retrieve(Fields& fields) {
    RetrieveSpec retrieve;
    const auto sources = fields.take("sources");
    simdjson::dom::array list;
    if (!sources || sources->get(list) != simdjson::SUCCESS || list.size() == 0)
        return invalid(fields.path("sources"), "must be a list of at least one source");
    size_t i = 0;
    for (element entry : list) {
        RANKD_ASSIGN_OR_RETURN(SourceSpec source, read_source(entry, fields.path("sources") + "[" + std::to_string(i++) + "]"));
        retrieve.sources.push_back(std::move(source));
    }
    return retrieve;
}

Result<FilterSpec> read_filter(Fields& fields) {
    FilterSpec filter;
    RANKD_RETURN_IF_ERROR(fields.flag("seen", filter.seen));
    if (const auto attributes = fields.take("attributes")) {
        RANKD_ASSIGN_OR_RETURN(const Fields names, Fields::of(*attributes, fields.path("attributes")));
        for (const auto& [name, value] : names.entries()) {
            RANKD_ASSIGN_OR_RETURN(Fields attribute, Fields::of(value, names.path(name)));
            AttributeSpec spec;
            spec.name = name;
            RANKD_RETURN_IF_ERROR(attribute.text("column", spec.column, true));
            RANKD_RETURN_IF_ERROR(attribute.text("ids", spec.ids, true));
            RANKD_RETURN_IF_ERROR(attribute.finish());
            filter.attributes.push_back(std::move(spec));
        }
    }
    return filter;
}

Result<StageSpec> read_stage(const element& value, const std::string& where) {
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(value, where));
    std::string stage;
    RANKD_RETURN_IF_ERROR(fields.text("stage", stage, true));
    StageSpec spec;
    if (stage == "lookup") {
        spec = LookupSpec{};
    } else if (stage == "retrieve") {
        RANKD_ASSIGN_OR_RETURN(spec, read_retrieve(fields));
    } else if (stage == "filter") {
        RANKD_ASSIGN_OR_RETURN(spec, read_filter(fields));
    } else if (stage == "score") {
        ScoreSpec score;
        RANKD_RETURN_IF_ERROR(fields.text("graph", score.graph, true));
        RANKD_RETURN_IF_ERROR(fields.text("output", score.output, true));
        spec = std::move(score);
    } else if (stage == "select") {
        SelectSpec select;
        RANKD_RETURN_IF_ERROR(fields.count("k", select.k, 1));
        RANKD_RETURN_IF_ERROR(fields.text("fallback", select.fallback));
        spec = std::move(select);
    } else {
        return invalid(fields.path("stage"), "is \"" + stage + "\", expected one of: lookup, retrieve, filter, score, select");
    }
    RANKD_RETURN_IF_ERROR(fields.finish());
    return spec;
}

Status read_operations(Fields& root, Manifest& manifest) {
    const auto operations = root.take("operations");
    if (!operations) return Status::ok();
    RANKD_ASSIGN_OR_RETURN(const Fields fields, Fields::of(*operations, "operations"));
    for (const auto& [name, value] : fields.entries()) {
        const auto operation = wire::operation_from_name(name);
        if (!operation) return invalid(fields.path(name), "is not an operation");
        simdjson::dom::array list;
        if (value.get(list) != simdjson::SUCCESS || list.size() == 0)
            return invalid(fields.path(name), "must be a list of stages");
        std::vector<StageSpec> stages;
        for (element entry : list) {
            RANKD_ASSIGN_OR_RETURN(StageSpec stage,
                                   read_stage(entry, fields.path(name) + "[" + std::to_string(stages.size()) + "]"));
            // The variant lists the stages in the only order that makes sense of them.
            if (!stages.empty() && stage.index() <= stages.back().index())
                return invalid(fields.path(name),
                               "must keep the order lookup, retrieve, filter, score, select, each at most once");
            stages.push_back(std::move(stage));
        }
        manifest.operations.emplace(*operation, std::move(stages));
    }
    return Status::ok();
}

Status read_thresholds(Fields& root, Manifest& manifest) {
    const auto value = root.take("thresholds");
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid("thresholds", "must be a list");
    for (element entry : list) {
        const std::string where = "thresholds[" + std::to_string(manifest.thresholds.size()) + "]";
        RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(entry, where));
        ThresholdSpec threshold;
        RANKD_RETURN_IF_ERROR(fields.text("decision", threshold.decision, true));
        if (const auto below = fields.take("below")) {
            double number = 0;
            if (below->get(number) != simdjson::SUCCESS) return invalid(fields.path("below"), "must be a number");
            threshold.below = static_cast<float>(number);
        }
        RANKD_RETURN_IF_ERROR(fields.finish());
        if (!manifest.thresholds.empty()) {
            const auto& previous = manifest.thresholds.back().below;
            if (!previous || (threshold.below && *threshold.below <= *previous))
                return invalid(where, "must rise; only the last decision has no \"below\"");
        }
        manifest.thresholds.push_back(std::move(threshold));
    }
    if (!manifest.thresholds.empty() && manifest.thresholds.back().below)
        return invalid("thresholds", "must end with a decision without \"below\"");
    return Status::ok();
}

Status read_files(Fields& root, Manifest& manifest) {
    const auto value = root.take("files");
    if (!value) return manifest.is_generated ? Status::ok() : invalid("\"files\"", "is missing");
    RANKD_ASSIGN_OR_RETURN(const Fields fields, Fields::of(*value, "files"));
    for (const auto& [name, entry] : fields.entries()) {
        if (!is_plain_file(name)) return invalid(fields.path(name), "must be the name of a file in the bundle");
        RANKD_ASSIGN_OR_RETURN(Fields file, Fields::of(entry, fields.path(name)));
        FileEntry out;
        RANKD_RETURN_IF_ERROR(file.text("sha256", out.sha256, true));
        const auto bytes = file.take("bytes");
        if (!bytes || bytes->get(out.bytes) != simdjson::SUCCESS) return invalid(file.path("bytes"), "must be the file's size");
        if (out.sha256.size() != 64) return invalid(file.path("sha256"), "must be 64 hexadecimal digits");
        RANKD_RETURN_IF_ERROR(file.finish());
        manifest.files.emplace(name, std::move(out));
    }
    return Status::ok();
}

Result<Manifest> read_root(const element& document, bool is_generated) {
    RANKD_ASSIGN_OR_RETURN(Fields root, Fields::of(document, ""));
    Manifest manifest;
    manifest.is_generated = is_generated;
    uint32_t format = 0;
    RANKD_RETURN_IF_ERROR(root.count("format", format, 1));
    if (format != 1) return invalid("\"format\"", "is " + std::to_string(format) + "; this engine reads format 1");
    RANKD_RETURN_IF_ERROR(root.text("name", manifest.name, true));
    RANKD_RETURN_IF_ERROR(root.text("version", manifest.version, true));
    if (!is_version(manifest.version))
        return invalid("\"version\"", "is \"" + manifest.version + "\", expected major.minor.patch or a whole number");
    RANKD_RETURN_IF_ERROR(root.text("kind", manifest.kind, true));
    if (manifest.kind != "recommender" && manifest.kind != "scorer" && manifest.kind != "model")
        return invalid("\"kind\"", "is \"" + manifest.kind + "\", expected recommender, scorer or model");
    RANKD_RETURN_IF_ERROR(root.text("description", manifest.description));
    RANKD_RETURN_IF_ERROR(read_file_map(root, "ids", manifest.ids));
    RANKD_RETURN_IF_ERROR(read_file_map(root, "tables", manifest.tables));
    RANKD_RETURN_IF_ERROR(read_file_map(root, "indexes", manifest.indexes));
    if (const auto graphs = root.take("graphs")) {
        RANKD_ASSIGN_OR_RETURN(const Fields fields, Fields::of(*graphs, "graphs"));
        for (const auto& [name, value] : fields.entries()) {
            RANKD_ASSIGN_OR_RETURN(GraphSpec graph, read_graph(name, value, fields.path(name)));
            manifest.graphs.push_back(std::move(graph));
        }
    }
    if (const auto history = root.take("history")) {
        RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(*history, "history"));
        RANKD_RETURN_IF_ERROR(fields.text("column", manifest.history_column, true));
        RANKD_RETURN_IF_ERROR(fields.finish());
    }
    RANKD_RETURN_IF_ERROR(read_operations(root, manifest));
    RANKD_RETURN_IF_ERROR(root.text("default_graph", manifest.default_graph));
    if (const auto infer = root.take("infer")) {
        RANKD_ASSIGN_OR_RETURN(manifest.infer, read_infer(*infer, "infer"));
    }
    RANKD_RETURN_IF_ERROR(read_thresholds(root, manifest));
    if (const auto tolerances = root.take("tolerances")) {
        RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(*tolerances, "tolerances"));
        if (const auto score = fields.take("score")) {
            double number = 0;
            if (score->get(number) != simdjson::SUCCESS || !(number >= 0))
                return invalid("tolerances.score", "must be a number ≥ 0");
            manifest.score_tolerance = static_cast<float>(number);
        }
        RANKD_RETURN_IF_ERROR(fields.finish());
    }
    RANKD_RETURN_IF_ERROR(root.text("golden", manifest.golden));
    RANKD_RETURN_IF_ERROR(read_files(root, manifest));
    RANKD_RETURN_IF_ERROR(root.finish());
    return manifest;
}

Result<Manifest> parse(const simdjson::padded_string& text, bool is_generated) {
    simdjson::dom::parser parser;
    element document;
    if (const auto error = parser.parse(text).get(document))
        return Status(Code::BUNDLE_INVALID,
                      std::string("manifest.json: not well-formed JSON: ") + simdjson::error_message(error));
    return read_root(document, is_generated);
}

}  // namespace

bool is_version(std::string_view text) {
    // So many digits always fit the numbers that versions are compared by.
    constexpr size_t kMostDigits = 18;
    const bool is_whole = text.find('.') == std::string_view::npos;
    if (is_whole && text.size() > 1 && text[0] == '0') return false;
    int parts = 1;
    size_t digits = 0;
    for (char c : text) {
        if (c == '.') {
            if (digits == 0) return false;
            ++parts;
            digits = 0;
        } else if (c < '0' || c > '9' || ++digits > kMostDigits) {
            return false;
        }
    }
    return digits > 0 && (is_whole || parts == 3);
}

Result<Manifest> read_manifest(const std::filesystem::path& path) {
    RANKD_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
    return parse(simdjson::padded_string(reinterpret_cast<const char*>(file.data()), file.size()), false);
}

Result<Manifest> parse_manifest(std::string_view text) {
    return parse(simdjson::padded_string(text.data(), text.size()), true);
}

}  // namespace rankd::pipeline
