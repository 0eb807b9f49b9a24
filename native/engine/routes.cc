// Names and versions to models.
#include "engine/routes.h"

#include <charconv>

namespace rankd::engine {
namespace {

std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

template <typename Map>
std::string keys_of(const Map& map) {
    std::string keys;
    for (const auto& [key, value] : map) keys += (keys.empty() ? "" : ", ") + std::string(key);
    return keys.empty() ? "none" : keys;
}

std::array<uint32_t, 3> version_of(const Model& model) {
    std::array<uint32_t, 3> version{};
    parse_version(model.version(), version);
    return version;
}

}  // namespace

bool parse_version(std::string_view text, std::array<uint32_t, 3>& version) {
    version = {};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (size_t part = 0; part < version.size(); ++part) {
        const auto [next, error] = std::from_chars(at, end, version[part]);
        if (error != std::errc{}) return false;
        if (next == end) return true;
        if (*next != '.') return false;
        at = next + 1;
    }
    return false;
}

void Routes::add(std::shared_ptr<Model> model) {
    std::lock_guard lock(mutex_);
    models_[model->name()].by_version[version_of(*model)] = std::move(model);
}

Result<std::shared_ptr<Model>> Routes::remove(const std::string& name, const std::string& version) {
    std::lock_guard lock(mutex_);
    const auto found = models_.find(name);
    if (found == models_.end())
        return Status(Code::UNKNOWN_MODEL, "there is no model " + in_quotes(name) + "; loaded: " + keys_of(models_));
    std::array<uint32_t, 3> number{};
    const auto entry = parse_version(version, number) ? found->second.by_version.find(number) : found->second.by_version.end();
    if (entry == found->second.by_version.end())
        return Status(Code::UNKNOWN_VERSION, in_quotes(name) + " has no version " + in_quotes(version));
    std::shared_ptr<Model> model = std::move(entry->second);
    found->second.by_version.erase(entry);
    std::erase_if(found->second.aliases, [&](const auto& alias) { return alias.second == model->version(); });
    if (found->second.by_version.empty()) models_.erase(found);
    return model;
}

Status Routes::set_aliases(const std::string& name, Aliases aliases) {
    std::lock_guard lock(mutex_);
    const auto found = models_.find(name);
    if (found == models_.end())
        return {Code::UNKNOWN_MODEL, "there is no model " + in_quotes(name) + "; loaded: " + keys_of(models_)};
    for (const auto& [alias, version] : aliases) {
        std::array<uint32_t, 3> number{};
        if (!parse_version(version, number) || !found->second.by_version.contains(number))
            return {Code::UNKNOWN_VERSION, "alias " + in_quotes(alias) + " of " + in_quotes(name) + " points at version " +
                                               in_quotes(version) + ", which is not loaded"};
    }
    found->second.aliases = std::move(aliases);
    return Status::ok();
}

void Routes::clear() {
    std::lock_guard lock(mutex_);
    models_.clear();
}

Result<std::shared_ptr<Model>> Routes::resolve(std::string_view target) const {
    RANKD_ASSIGN_OR_RETURN(const wire::Target parts, wire::parse_target(target));
    std::lock_guard lock(mutex_);
    const auto found = models_.find(parts.name);
    if (found == models_.end())
        return Status(Code::UNKNOWN_MODEL, "there is no model " + in_quotes(parts.name) + "; loaded: " + keys_of(models_));
    return select(found->first, found->second, parts.selector);
}

Result<std::shared_ptr<Model>> Routes::select(const std::string& name, const Versions& versions,
                                              std::string_view selector) const {
    std::array<uint32_t, 3> number{};
    const auto alias = versions.aliases.find(std::string(selector.empty() ? "champion" : selector));
    if (alias != versions.aliases.end()) {
        parse_version(alias->second, number);
    } else if (selector.empty()) {
        return versions.by_version.rbegin()->second;
    } else if (!parse_version(selector, number)) {
        return Status(Code::UNKNOWN_VERSION,
                      in_quotes(name) + " has no alias " + in_quotes(selector) + "; there are " + keys_of(versions.aliases));
    }
    const auto found = versions.by_version.find(number);
    if (found != versions.by_version.end()) return found->second;
    std::string loaded;
    for (const auto& [version, model] : versions.by_version) loaded += (loaded.empty() ? "" : ", ") + model->version();
    return Status(Code::UNKNOWN_VERSION, in_quotes(name) + " has no version " + in_quotes(selector) + "; loaded: " + loaded);
}

std::vector<Routes::Entry> Routes::list() const {
    std::lock_guard lock(mutex_);
    std::vector<Entry> entries;
    for (const auto& [name, versions] : models_) {
        for (const auto& [number, model] : versions.by_version) {
            Entry entry{model, {}};
            for (const auto& [alias, version] : versions.aliases)
                if (version == model->version()) entry.aliases.push_back(alias);
            entries.push_back(std::move(entry));
        }
    }
    return entries;
}

}  // namespace rankd::engine
