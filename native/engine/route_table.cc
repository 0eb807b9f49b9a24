// Names, aliases and versions to models.
#include "engine/route_table.h"

#include <charconv>

#include "wire/envelope.h"

namespace rankd::engine {
namespace {

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

/// In the words that clients of the Open Inference Protocol look for.
std::string request_for_unknown(std::string_view model) {
    return "Request for unknown model: " + in_quotes(model);
}

template <typename Map>
std::string keys_of(const Map& map) {
    std::string keys;
    for (const auto& [key, value] : map) keys += (keys.empty() ? "" : ", ") + std::string(key);
    return keys.empty() ? "none" : keys;
}

template <typename Map>
std::string versions_in(const Map& by_version) {
    std::string versions;
    for (const auto& [version, model] : by_version) versions += (versions.empty() ? "" : ", ") + model->version();
    return versions;
}

}  // namespace

bool parse_version(std::string_view text, Version& version) {
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

Status RouteTable::unknown_model(std::string_view name) const {
    return {Code::UNKNOWN_MODEL, request_for_unknown(name) + " is not found; loaded: " + keys_of(models_)};
}

Status RouteTable::unknown_version(std::string_view name, const Versions& versions, std::string_view version) {
    return {Code::UNKNOWN_VERSION, request_for_unknown(name) + " version " + std::string(version) +
                                       " is not found; loaded: " + versions_in(versions.by_version)};
}

Result<Model*> RouteTable::resolve(std::string_view target) const {
    RANKD_ASSIGN_OR_RETURN(const wire::Target parts, wire::parse_target(target));
    const auto found = models_.find(parts.name);
    if (found == models_.end()) return unknown_model(parts.name);
    const auto& [name, versions] = *found;
    const std::string_view selector = parts.selector;
    Version number{};
    const auto alias = versions.aliases.find(selector.empty() ? "champion" : selector);
    if (alias != versions.aliases.end()) {
        parse_version(alias->second, number);
    } else if (selector.empty()) {
        return versions.by_version.rbegin()->second.get();
    } else if (!parse_version(selector, number)) {
        return Status(Code::UNKNOWN_VERSION, request_for_unknown(name) + " alias " + std::string(selector) +
                                                 " is not found; aliases: " + keys_of(versions.aliases));
    }
    const auto model = versions.by_version.find(number);
    if (model != versions.by_version.end()) return model->second.get();
    return unknown_version(name, versions, selector);
}

std::vector<RouteTable::Entry> RouteTable::list() const {
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

std::vector<std::shared_ptr<Model>> RouteTable::versions_of(std::string_view name) const {
    std::vector<std::shared_ptr<Model>> models;
    const auto found = models_.find(name);
    if (found == models_.end()) return models;
    for (const auto& [version, model] : found->second.by_version) models.push_back(model);
    return models;
}

void RouteTable::add(std::shared_ptr<Model> model) {
    Version version{};
    parse_version(model->version(), version);
    models_[model->name()].by_version[version] = std::move(model);
}

Status RouteTable::remove(std::string_view name, std::string_view version) {
    const auto found = models_.find(name);
    if (found == models_.end()) return unknown_model(name);
    Versions& versions = found->second;
    Version number{};
    const auto entry = parse_version(version, number) ? versions.by_version.find(number) : versions.by_version.end();
    if (entry == versions.by_version.end()) return unknown_version(name, versions, version);
    std::erase_if(versions.aliases, [&](const auto& alias) { return alias.second == entry->second->version(); });
    versions.by_version.erase(entry);
    if (versions.by_version.empty()) models_.erase(found);
    return Status::ok();
}

Status RouteTable::set_aliases(std::string_view name, Aliases aliases) {
    const auto found = models_.find(name);
    if (found == models_.end()) return unknown_model(name);
    for (const auto& [alias, version] : aliases) {
        Version number{};
        if (!parse_version(version, number) || !found->second.by_version.contains(number))
            return {Code::UNKNOWN_VERSION, "alias " + in_quotes(alias) + " of " + in_quotes(name) + " points at version " +
                                               in_quotes(version) + ", which is not loaded"};
    }
    found->second.aliases = std::move(aliases);
    return Status::ok();
}

}  // namespace rankd::engine
