// One opened bundle: files verified, tables mapped, graphs loaded, every name of the manifest resolved.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "pipeline/infer_plan.h"
#include "pipeline/manifest.h"
#include "pipeline/plan.h"
#include "wire/codec.h"

namespace rankd::pipeline {

struct BundleOptions {
    /// Memory for what ranking graphs compute of items alone, computed at load; 0 = graphs run as their files have them.
    uint64_t precompute_bytes = uint64_t{1} << 30;
    std::optional<std::string> manifest = {};  ///< in place of the folder's manifest.json
};

/// Immutable after `open`, so safe on any thread.
class Bundle {
  public:
    /// Reads, verifies and resolves a bundle folder.
    /// @return BUNDLE_MISSING_FILE, BUNDLE_CHECKSUM_MISMATCH, BUNDLE_INVALID or BUNDLE_SIGNATURE_MISMATCH
    static Result<std::unique_ptr<Bundle>> open(const std::filesystem::path& folder, const session::SessionFactory& sessions,
                                                const BundleOptions& options = {});

    const Manifest& manifest() const { return manifest_; }
    const Resources& resources() const { return resources_; }
    const std::filesystem::path& folder() const { return folder_; }
    const Plan* plan(wire::Operation operation) const;  ///< nullptr when the bundle does not offer it, and for `infer`
    /// What `infer` runs; nullptr when there is no default graph.
    const InferPlan* infer_plan() const { return infer_plan_ ? &*infer_plan_ : nullptr; }
    /// What requests may ask of it: the manifest's operations, and `infer` when there is a default graph.
    std::vector<wire::Operation> operations() const;

    const store::IdMap* item_ids() const { return item_ids_; }
    const store::IdMap* user_ids() const { return user_ids_; }
    const store::Column* history() const { return history_; }
    uint32_t item_count() const { return item_ids_ ? item_ids_->size() : 0; }
    uint32_t user_count() const { return user_ids_ ? user_ids_->size() : 0; }
    uint64_t file_bytes() const;
    /// Of the tables computed at load.
    uint64_t precomputed_bytes() const;

  private:
    Status verify_files() const;
    void list_files();
    Status check_listed(const std::string& file) const;
    Status resolve_default_graph();
    Status open_resources(const session::SessionFactory& sessions);
    void precompute(const session::SessionFactory& sessions, const BundleOptions& options);

    std::filesystem::path folder_;
    Manifest manifest_;
    Resources resources_;
    std::map<wire::Operation, Plan> plans_;
    const store::IdMap* item_ids_ = nullptr;
    const store::IdMap* user_ids_ = nullptr;
    const store::Column* history_ = nullptr;
    std::optional<InferPlan> infer_plan_;
};

}  // namespace rankd::pipeline
