// Steps over JSON without reading it: to find one member of a large text, or where it breaks. Tolerant; it never leaves the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace rankd::wire {

constexpr bool is_json_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

inline size_t skip_json_blanks(std::string_view text, size_t at) {
    while (at < text.size() && is_json_blank(text[at])) ++at;
    return at;
}

/// @param at  an opening quote. @return behind the closing one, or the text's end
size_t end_of_json_text(std::string_view text, size_t at);

/// @param at  where a value begins. @return behind it, or the text's end
size_t end_of_json_value(std::string_view text, size_t at);

/// Calls `visit(key, value)` with the members of the map that `text` begins with, both as they are written, the key without its
/// quotes; ends when it returns false or the text makes no sense.
template <typename Visit>
void for_each_json_member(std::string_view text, Visit&& visit) {
    size_t at = skip_json_blanks(text, 0);
    if (at == text.size() || text[at] != '{') return;
    do {
        const size_t key = skip_json_blanks(text, at + 1);
        if (key == text.size() || text[key] != '"') return;
        const size_t key_end = end_of_json_text(text, key);
        const size_t colon = skip_json_blanks(text, key_end);
        if (colon == text.size() || text[colon] != ':') return;
        const size_t value = skip_json_blanks(text, colon + 1), value_end = end_of_json_value(text, value);
        if (!visit(text.substr(key + 1, key_end - key - 2), text.substr(value, value_end - value))) return;
        at = skip_json_blanks(text, value_end);
    } while (at < text.size() && text[at] == ',');
}

}  // namespace rankd::wire
