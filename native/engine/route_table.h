// Which loaded version answers which target, as it was at one moment: built by a writer, published, and never changed again.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model.h"

namespace rankd::engine {

using Version = std::array<uint64_t, 3>;

/// "1.2.3", "1.2" or "1" as numbers, missing parts 0; nothing when it is no version.
bool parse_version(std::string_view text, Version& version);

class RouteTable {
  public:
    using Aliases = std::map<std::string, std::string, std::less<>>;

    /// `name`, `name@alias` or `name@version`; without either the champion, else the highest version. Allocates for errors only.
    /// @return a model that lives as long as this table; UNKNOWN_MODEL or UNKNOWN_VERSION, naming what there is
    Result<Model*> resolve(std::string_view target) const;

    struct Entry {
        std::shared_ptr<Model> model;
        std::vector<std::string> aliases;
    };
    std::vector<Entry> list() const;
    /// The versions of one model, oldest first; empty when there is none of that name.
    std::vector<std::shared_ptr<Model>> versions_of(std::string_view name) const;

    // For writers, on a copy that nobody else knows yet.

    /// Adds a version or replaces the same one.
    void add(std::shared_ptr<Model> model);
    /// With the aliases that point at it. @return UNKNOWN_MODEL or UNKNOWN_VERSION
    Status remove(std::string_view name, std::string_view version);
    /// Replaces the aliases of a model. @return UNKNOWN_MODEL, or UNKNOWN_VERSION when an alias points at a version not loaded
    Status set_aliases(std::string_view name, Aliases aliases);

  private:
    struct Versions {
        std::map<Version, std::shared_ptr<Model>> by_version;
        Aliases aliases;
    };
    using Models = std::map<std::string, Versions, std::less<>>;

    Status unknown_model(std::string_view name) const;
    static Status unknown_version(std::string_view name, const Versions& versions, std::string_view version);

    Models models_;
};

}  // namespace rankd::engine
