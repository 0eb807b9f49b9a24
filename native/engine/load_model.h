// A bundle's way from its folder to the moment before it serves.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/routes.h"
#include "session/session.h"

namespace rankd::engine {

struct LoadOptions {
    const session::SessionFactory& sessions;
    const wire::Limits& limits;
    const Clock& clock;
    uint64_t precompute_bytes = 0;
    std::shared_ptr<RequestLog> request_log;
    std::optional<std::string> manifest = {};  ///< for a folder without one
};

/// Opens and verifies the bundle, replays its golden requests and those of its `infer.warmup`, and warms it with these and with
/// what the serving versions of the same name have recorded. Takes seconds: for the loader's thread.
/// @return BUNDLE_… and the folder when it may not serve
Result<std::shared_ptr<Model>> load_model(const std::filesystem::path& folder, const LoadOptions& options, const Routes& routes);

}  // namespace rankd::engine
