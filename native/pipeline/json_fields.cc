// Strict reading of JSON objects for manifests.
#include "pipeline/json_fields.h"

#include <algorithm>

namespace rankd::pipeline {

using simdjson::dom::element;
using simdjson::dom::object;

Status invalid(const std::string& where, const std::string& what) {
    return {Code::BUNDLE_INVALID, "manifest.json: " + where + " " + what};
}

Result<Fields> Fields::of(const element& value, std::string where) {
    object fields;
    if (value.get(fields) != simdjson::SUCCESS) return invalid(where, "must be an object");
    return Fields(fields, std::move(where));
}

std::optional<element> Fields::take(std::string_view key) {
    known_.push_back(key);
    element value;
    if (object_.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
}

Status Fields::text(std::string_view key, std::string& out, bool required) {
    const auto value = take(key);
    if (!value) return required ? invalid(path(key), "is missing") : Status::ok();
    std::string_view text;
    if (value->get(text) != simdjson::SUCCESS) return invalid(path(key), "must be text");
    out = text;
    return Status::ok();
}

Status Fields::count(std::string_view key, uint32_t& out, uint32_t least) {
    uint64_t number = out;
    RANKD_RETURN_IF_ERROR(whole(key, number, least, 1'000'000));
    out = static_cast<uint32_t>(number);
    return Status::ok();
}

Status Fields::whole(std::string_view key, uint64_t& out, uint64_t least, uint64_t most) {
    const auto value = take(key);
    if (!value) return Status::ok();
    uint64_t number = 0;
    if (value->get(number) != simdjson::SUCCESS || number < least || number > most)
        return invalid(path(key), "must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
    out = number;
    return Status::ok();
}

Status Fields::flag(std::string_view key, bool& out) {
    const auto value = take(key);
    if (value && value->get(out) != simdjson::SUCCESS) return invalid(path(key), "must be true or false");
    return Status::ok();
}

Status Fields::texts(std::string_view key, std::vector<std::string>& out) {
    const auto value = take(key);
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid(path(key), "must be a list of texts");
    for (element entry : list) {
        std::string_view text;
        if (entry.get(text) != simdjson::SUCCESS) return invalid(path(key), "must be a list of texts");
        out.emplace_back(text);
    }
    return Status::ok();
}

Status Fields::numbers(std::string_view key, std::vector<float>& out) {
    const auto value = take(key);
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid(path(key), "must be a list of numbers");
    for (element entry : list) {
        double number = 0;
        if (entry.get(number) != simdjson::SUCCESS) return invalid(path(key), "must be a list of numbers");
        out.push_back(static_cast<float>(number));
    }
    return Status::ok();
}

Status Fields::finish() const {
    for (const auto& [key, value] : object_) {
        if (std::find(known_.begin(), known_.end(), key) == known_.end())
            return invalid(where_.empty() ? "key" : where_, "has the unknown key \"" + std::string(key) + "\"");
    }
    return Status::ok();
}

std::string Fields::path(std::string_view key) const {
    return where_.empty() ? "\"" + std::string(key) + "\"" : where_ + "." + std::string(key);
}

}  // namespace rankd::pipeline
