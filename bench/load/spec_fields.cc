#include "spec_fields.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rankd::load {
namespace {

constexpr size_t kLongestShown = 60;

std::string shown(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.15g", number);
    return text;
}

std::string describe_range(const Range& range, std::string_view what) {
    std::string text(what);
    if (range.most < std::numeric_limits<double>::max()) {
        return text + (range.is_above ? " above " : " from ") + shown(range.least) + (range.is_above ? ", at most " : " to ") +
               shown(range.most);
    }
    return text + (range.is_above ? " above " : " from ") + shown(range.least);
}

bool is_within(double number, const Range& range) {
    return std::isfinite(number) && number <= range.most && (range.is_above ? number > range.least : number >= range.least);
}

}  // namespace

std::string describe_json(const simdjson::dom::element& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list";
    std::string text = simdjson::minify(value);
    if (text.size() > kLongestShown) text = text.substr(0, kLongestShown) + "…";
    return value.is_string() ? text + " (text)" : text;
}

Result<SpecFields> SpecFields::of(const simdjson::dom::element& value, std::string where) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
        return Status(Code::INVALID_ARGUMENT,
                      (where.empty() ? "the spec" : where) + ": expected an object, got " + describe_json(value));
    }
    return SpecFields(object, std::move(where));
}

std::string SpecFields::path(std::string_view key) const {
    return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

Status SpecFields::unexpected(std::string_view key, std::string_view expected, const simdjson::dom::element& value) const {
    return Status(Code::INVALID_ARGUMENT, path(key) + ": expected " + std::string(expected) + ", got " + describe_json(value));
}

Status SpecFields::missing(std::string_view key) const {
    return Status(Code::INVALID_ARGUMENT, path(key) + ": is required and missing");
}

std::optional<simdjson::dom::element> SpecFields::take(std::string_view key) {
    known_.push_back(key);
    simdjson::dom::element value;
    if (object_.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
}

Result<simdjson::dom::element> SpecFields::take_required(std::string_view key) {
    if (const auto value = take(key)) return *value;
    return missing(key);
}

Status SpecFields::text(std::string_view key, std::string& out, bool required) {
    const auto value = take(key);
    if (!value) return required ? missing(key) : Status::ok();
    std::string_view text;
    if (value->get(text) != simdjson::SUCCESS || text.empty()) return unexpected(key, "a text that is not empty", *value);
    out = text;
    return Status::ok();
}

Status SpecFields::number(std::string_view key, double& out, Range range, bool required) {
    const auto value = take(key);
    if (!value) return required ? missing(key) : Status::ok();
    double number = 0;
    if (value->get(number) != simdjson::SUCCESS || !is_within(number, range)) {
        return unexpected(key, describe_range(range, "a number"), *value);
    }
    out = number;
    return Status::ok();
}

Status SpecFields::integer(std::string_view key, uint32_t& out, Range range, bool required) {
    const auto value = take(key);
    if (!value) return required ? missing(key) : Status::ok();
    uint64_t number = 0;
    if (value->get(number) != simdjson::SUCCESS || !is_within(static_cast<double>(number), range)) {
        return unexpected(key, describe_range(range, "an integer"), *value);
    }
    out = static_cast<uint32_t>(number);
    return Status::ok();
}

Status SpecFields::seed(std::string_view key, uint64_t& out) {
    const auto value = take(key);
    if (!value) return Status::ok();
    if (value->get(out) != simdjson::SUCCESS) return unexpected(key, "an integer from 0 to 2^64 - 1", *value);
    return Status::ok();
}

Status SpecFields::finish() const {
    for (const auto& [key, value] : object_) {
        if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
        std::string known;
        for (const std::string_view name : known_) known += (known.empty() ? "" : ", ") + std::string(name);
        return Status(Code::INVALID_ARGUMENT, path(key) + ": is no field; known are " + known);
    }
    return Status::ok();
}

}  // namespace rankd::load
