// manifest.json as data: parsed, checked for shape and unknown keys, names not yet resolved. See docs/bundle.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "pipeline/infer_spec.h"
#include "store/table.h"
#include "wire/codec.h"

namespace rankd::pipeline {

struct FileEntry {
    std::string sha256;  ///< empty in a generated manifest: nobody wrote one down
    uint64_t bytes = 0;
};

/// Where a graph input comes from.
enum class From : uint8_t {
    kUser,
    kHistory,
    kHistoryCount,
    kFeatures,
    kContext,
    kItem,
    kCandidateFeatures,
    kSources,
    kRowUser,
    kRows
};

struct InputSpec {
    std::string name;
    From from = From::kUser;
    std::string column;  ///< "table.column"
    store::Column::Pool pool = store::Column::Pool::kMean;
    std::optional<uint32_t> newest;
    std::vector<std::string> names;
    std::vector<float> defaults;
};

struct GraphSpec {
    std::string name;
    std::string file;
    std::vector<InputSpec> inputs;
    std::vector<std::string> outputs;
    bool has_signature = true;  ///< without one, a graph is for `infer` alone
};

enum class SourceKind : uint8_t { kIndex, kNeighbours, kList };

struct SourceSpec {
    std::string name;
    SourceKind kind = SourceKind::kList;
    std::string index;        ///< kIndex
    std::string query_graph;  ///< kIndex; empty when the query is the request's item
    std::string query_output;
    std::string rows;     ///< kNeighbours, kList: "table.column"
    std::string weights;  ///< kNeighbours
    uint32_t k = 100;
};

struct LookupSpec {};
struct RetrieveSpec {
    std::vector<SourceSpec> sources;
};
struct AttributeSpec {
    std::string name;
    std::string column;
    std::string ids;
};
struct FilterSpec {
    bool seen = false;
    std::vector<AttributeSpec> attributes;
};
struct ScoreSpec {
    std::string graph;
    std::string output;
};
struct SelectSpec {
    uint32_t k = 10;
    std::string fallback;
};
using StageSpec = std::variant<LookupSpec, RetrieveSpec, FilterSpec, ScoreSpec, SelectSpec>;

struct ThresholdSpec {
    std::string decision;
    std::optional<float> below;  ///< absent on the last one
};

struct Manifest {
    std::string name;
    std::string version;
    std::string kind;
    std::string description;
    std::map<std::string, std::string> ids;
    std::map<std::string, std::string> tables;
    std::map<std::string, std::string> indexes;
    std::vector<GraphSpec> graphs;
    std::string history_column;
    std::map<wire::Operation, std::vector<StageSpec>> operations;
    std::string default_graph;
    std::vector<ThresholdSpec> thresholds;
    float score_tolerance = 1e-4f;
    std::string golden;
    InferSpec infer;
    std::map<std::string, FileEntry> files;
    bool is_generated = false;  ///< given as text for a folder that has none: its files are found, and not verified
};

/// @return BUNDLE_MISSING_FILE without the file, BUNDLE_INVALID naming the key and what was expected of it
Result<Manifest> read_manifest(const std::filesystem::path& path);
/// A generated manifest: `files` may be absent. @return BUNDLE_INVALID as above
Result<Manifest> parse_manifest(std::string_view text);

/// "1.2.3", or a whole number as model repositories have it.
bool is_version(std::string_view text);

}  // namespace rankd::pipeline
