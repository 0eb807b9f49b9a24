#include "wire/oip_head.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "wire/json_scan.h"

namespace rankd::wire {
namespace {

constexpr uint64_t kLowestPriority = 9;

uint64_t natural(std::string_view text) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

/// The text that a JSON string stands for.
std::optional<std::string> unquoted(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
    if (value.find('\\') == std::string_view::npos) return std::string(value.substr(1, value.size() - 2));
    simdjson::dom::parser parser;
    std::string_view text;
    if (parser.parse(simdjson::padded_string(value)).get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}

}  // namespace

std::string_view oip_json(std::span<const uint8_t> body, uint32_t json_bytes) {
    const size_t size = json_bytes == kAllJson ? body.size() : json_bytes;
    if (size > body.size()) return {};
    return {reinterpret_cast<const char*>(body.data()), size};
}

OipUrgency peek_urgency(std::string_view json) {
    OipUrgency urgency;
    // Without the first quote: quotes are the most frequent character of a small body, and each is a place to look at.
    const auto has = [&](std::string_view name) { return json.find(name) != std::string_view::npos; };
    if (!has("timeout\"") && !has("priority\"")) return urgency;
    for_each_json_member(json, [&](std::string_view key, std::string_view value) {
        if (key != "parameters") return true;
        for_each_json_member(value, [&](std::string_view name, std::string_view number) {
            if (name == "timeout") urgency.timeout_us = natural(number);
            if (name == "priority") urgency.priority = static_cast<uint8_t>(std::min(natural(number), kLowestPriority));
            return true;
        });
        return false;
    });
    return urgency;
}

std::optional<std::string> peek_id(std::string_view json) {
    std::optional<std::string> id;
    if (json.find("\"id\"") == std::string_view::npos) return id;
    for_each_json_member(json, [&](std::string_view key, std::string_view value) {
        if (key == "id") id = unquoted(value);
        return key != "id";
    });
    return id;
}

}  // namespace rankd::wire
