// An id as callers write it: an unsigned integer or text. Never copied, only looked at.
#pragma once

#include <cstdint>
#include <string_view>

namespace rankd::wire {

struct Id {
    enum class Kind : uint8_t { kNone, kInteger, kText };
    Kind kind = Kind::kNone;
    uint64_t integer = 0;
    std::string_view text;

    static Id of(uint64_t value) { return {Kind::kInteger, value, {}}; }
    static Id of(std::string_view value) { return {Kind::kText, 0, value}; }
    bool is_none() const { return kind == Kind::kNone; }
    friend bool operator==(const Id& a, const Id& b) { return a.kind == b.kind && a.integer == b.integer && a.text == b.text; }
};

}  // namespace rankd::wire
