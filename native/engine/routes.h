// Which loaded version answers which target.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/model.h"
#include "wire/envelope.h"

namespace rankd::engine {

/// Thread-safe; a lookup takes one short lock.
class Routes {
  public:
    using Aliases = std::map<std::string, std::string>;

    /// Adds a version or replaces the same one.
    void add(std::shared_ptr<Model> model);
    /// @return the removed version, or UNKNOWN_MODEL / UNKNOWN_VERSION
    Result<std::shared_ptr<Model>> remove(const std::string& name, const std::string& version);
    /// Replaces the aliases of a model. @return UNKNOWN_MODEL, or UNKNOWN_VERSION when an alias points at a version not loaded
    Status set_aliases(const std::string& name, Aliases aliases);
    void clear();

    /// `name`, `name@alias` or `name@version`; without either the champion, else the highest version.
    /// @return UNKNOWN_MODEL or UNKNOWN_VERSION, naming what there is
    Result<std::shared_ptr<Model>> resolve(std::string_view target) const;

    struct Entry {
        std::shared_ptr<Model> model;
        std::vector<std::string> aliases;
    };
    std::vector<Entry> list() const;

  private:
    struct Versions {
        std::map<std::array<uint32_t, 3>, std::shared_ptr<Model>> by_version;
        Aliases aliases;
    };
    Result<std::shared_ptr<Model>> select(const std::string& name, const Versions& versions, std::string_view selector) const;

    mutable std::mutex mutex_;
    std::map<std::string, Versions, std::less<>> models_;
};

/// "1.2.3", "1.2" or "1" as numbers, missing parts 0; nothing when it is no version.
bool parse_version(std::string_view text, std::array<uint32_t, 3>& version);

}  // namespace rankd::engine
