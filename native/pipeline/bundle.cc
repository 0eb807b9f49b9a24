// Opens a bundle: the manifest first, then every checksum, then the resources it names, then the plans.
#include "pipeline/bundle.h"

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "pipeline/batch_probe.h"
#include "pipeline/item_side.h"

namespace rankd::pipeline {

namespace fs = std::filesystem;

const Plan* Bundle::plan(wire::Operation operation) const {
    const auto found = plans_.find(operation);
    return found == plans_.end() ? nullptr : &found->second;
}

std::vector<wire::Operation> Bundle::operations() const {
    std::vector<wire::Operation> operations;
    for (const auto& [operation, plan] : plans_) operations.push_back(operation);
    if (infer_plan_) operations.push_back(wire::Operation::kInfer);
    return operations;
}

uint64_t Bundle::file_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [name, entry] : manifest_.files) bytes += entry.bytes;
    return bytes;
}

uint64_t Bundle::precomputed_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [name, graph] : resources_.graphs)
        if (graph->item_side) bytes += graph->item_side->bytes();
    return bytes;
}

Status Bundle::verify_files() const {
    for (const auto& [name, entry] : manifest_.files) {
        RANKD_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(folder_ / name));
        if (file.size() != entry.bytes)
            return {Code::BUNDLE_CHECKSUM_MISMATCH, name + " has " + std::to_string(file.size()) + " bytes, the manifest says " +
                                                        std::to_string(entry.bytes) + ": copy the bundle again"};
        if (const std::string actual = sha256_hex(file.bytes()); actual != entry.sha256)
            return {Code::BUNDLE_CHECKSUM_MISMATCH,
                    name + " has sha256 " + actual + ", the manifest says " + entry.sha256 + ": copy the bundle again"};
    }
    return Status::ok();
}

/// Of a folder that brought no list. What cannot be read is not there: opening it says why.
void Bundle::list_files() {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
        std::error_code unreadable;
        if (!at->is_regular_file(unreadable)) continue;
        const uint64_t bytes = at->file_size(unreadable);
        if (!unreadable) manifest_.files.emplace(at->path().lexically_relative(folder_).string(), FileEntry{{}, bytes});
    }
}

/// Every file that the manifest uses must be in its list, so that nothing is served unchecked.
Status Bundle::check_listed(const std::string& file) const {
    if (manifest_.files.contains(file)) return Status::ok();
    if (manifest_.is_generated) return {Code::BUNDLE_MISSING_FILE, "there is no file " + file};
    return {Code::BUNDLE_INVALID, "manifest.json: \"files\" does not list " + file};
}

Status Bundle::open_resources(const session::SessionFactory& sessions) {
    for (const auto& [name, file] : manifest_.ids) {
        RANKD_RETURN_IF_ERROR(check_listed(file));
        RANKD_ASSIGN_OR_RETURN(resources_.ids[name], store::IdMap::open(folder_ / file));
    }
    for (const auto& [name, file] : manifest_.tables) {
        RANKD_RETURN_IF_ERROR(check_listed(file));
        RANKD_ASSIGN_OR_RETURN(resources_.tables[name], store::Table::open(folder_ / file));
    }
    for (const auto& [name, file] : manifest_.indexes) {
        RANKD_RETURN_IF_ERROR(check_listed(file));
        RANKD_ASSIGN_OR_RETURN(resources_.indexes[name], index::open_index(folder_ / file));
    }
    for (const GraphSpec& spec : manifest_.graphs) {
        RANKD_RETURN_IF_ERROR(check_listed(spec.file));
        auto graph = std::make_unique<Graph>();
        graph->spec = &spec;
        const bool is_default = spec.name == manifest_.default_graph;
        const session::SessionOptions options = is_default ? manifest_.infer.session : session::SessionOptions{};
        RANKD_ASSIGN_OR_RETURN(graph->session, sessions.open(folder_ / spec.file, options));
        resources_.graphs.emplace(spec.name, std::move(graph));
    }
    if (!manifest_.golden.empty()) RANKD_RETURN_IF_ERROR(check_listed(manifest_.golden));
    return Status::ok();
}

void Bundle::precompute(const session::SessionFactory& sessions, const BundleOptions& options) {
    uint64_t left = options.precompute_bytes;
    for (const GraphSpec& spec : manifest_.graphs) {
        Graph& graph = *resources_.graphs.at(spec.name);
        graph.item_side =
            ItemSide::build(graph, folder_ / spec.file, sessions, {left, manifest_.score_tolerance}, graph.why_no_item_side);
        if (!graph.item_side) continue;
        left -= graph.item_side->bytes();
        graph.max_run_rows = max_run_rows(graph.serving_inputs());
    }
}

Status Bundle::resolve_default_graph() {
    if (manifest_.default_graph.empty()) return Status::ok();
    const auto found = resources_.graphs.find(manifest_.default_graph);
    if (found == resources_.graphs.end())
        return {Code::BUNDLE_SIGNATURE_MISMATCH, "default_graph: there is no graph \"" + manifest_.default_graph + "\""};
    RANKD_ASSIGN_OR_RETURN(infer_plan_, resolve_infer(manifest_.name, manifest_.infer, *found->second->session, folder_));
    if (infer_plan_->is_bound_open) decide_batching(*infer_plan_, manifest_.infer);
    return Status::ok();
}

Result<std::unique_ptr<Bundle>> Bundle::open(const fs::path& folder, const session::SessionFactory& sessions,
                                             const BundleOptions& options) {
    auto bundle = std::make_unique<Bundle>();
    bundle->folder_ = folder;
    RANKD_ASSIGN_OR_RETURN(bundle->manifest_,
                           options.manifest ? parse_manifest(*options.manifest) : read_manifest(folder / "manifest.json"));
    RANKD_RETURN_IF_ERROR(bundle->verify_files());
    if (bundle->manifest_.is_generated) bundle->list_files();
    RANKD_RETURN_IF_ERROR(bundle->open_resources(sessions));

    Resources& resources = bundle->resources_;
    const Manifest& manifest = bundle->manifest_;
    if (const auto found = resources.ids.find("item"); found != resources.ids.end()) bundle->item_ids_ = found->second.get();
    if (const auto found = resources.ids.find("user"); found != resources.ids.end()) bundle->user_ids_ = found->second.get();
    if (!manifest.history_column.empty()) {
        RANKD_ASSIGN_OR_RETURN(bundle->history_, resources.column(manifest.history_column, "history"));
        if (bundle->history_->dtype() != store::DType::kRaggedU32)
            return Status(Code::BUNDLE_SIGNATURE_MISMATCH,
                          "history: column \"" + manifest.history_column + "\" must be ragged u32");
    }
    // Sources need graphs' outputs, graphs' inputs need sources: outputs come first, inputs last.
    RANKD_RETURN_IF_ERROR(resolve_sources(manifest, resources));
    for (const GraphSpec& spec : manifest.graphs)
        if (spec.has_signature) RANKD_RETURN_IF_ERROR(resolve_graph_inputs(spec, resources, *resources.graphs.at(spec.name)));
    for (const auto& [operation, stages] : manifest.operations) {
        RANKD_ASSIGN_OR_RETURN(Plan plan, resolve_operation(operation, stages, resources));
        bundle->plans_.emplace(operation, std::move(plan));
    }
    bundle->precompute(sessions, options);
    RANKD_RETURN_IF_ERROR(bundle->resolve_default_graph());
    const bool needs_items = bundle->plan(wire::Operation::kRecommend) || bundle->plan(wire::Operation::kRank) ||
                             bundle->plan(wire::Operation::kSimilar);
    if (needs_items && !bundle->item_ids_)
        return Status(Code::BUNDLE_SIGNATURE_MISMATCH, "ids: recommend, rank and similar need \"item\"");
    for (const auto& [name, index] : resources.indexes)
        if (index->size() > bundle->item_count())
            return Status(Code::BUNDLE_SIGNATURE_MISMATCH, "indexes." + name + ": has " + std::to_string(index->size()) +
                                                               " rows, but ids.item has only " +
                                                               std::to_string(bundle->item_count()));
    return bundle;
}

}  // namespace rankd::pipeline
