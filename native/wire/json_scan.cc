#include "wire/json_scan.h"

namespace rankd::wire {
namespace {

/// @param at  an opening bracket
size_t end_of_container(std::string_view text, size_t at) {
    size_t depth = 0;
    while (at < text.size()) {
        switch (text[at]) {
            case '"':
                at = end_of_json_text(text, at);
                continue;
            case '[':
            case '{':
                ++depth;
                break;
            case ']':
            case '}':
                if (--depth == 0) return at + 1;
                break;
            default:
                break;
        }
        ++at;
    }
    return at;
}

}  // namespace

size_t end_of_json_text(std::string_view text, size_t at) {
    for (size_t quote = text.find('"', at + 1); quote != std::string_view::npos; quote = text.find('"', quote + 1)) {
        size_t first_escape = quote;
        while (first_escape > at + 1 && text[first_escape - 1] == '\\') --first_escape;
        if ((quote - first_escape) % 2 == 0) return quote + 1;
    }
    return text.size();
}

size_t end_of_json_value(std::string_view text, size_t at) {
    if (at >= text.size()) return text.size();
    if (text[at] == '"') return end_of_json_text(text, at);
    if (text[at] == '[' || text[at] == '{') return end_of_container(text, at);
    while (at < text.size() && !is_json_blank(text[at]) && text[at] != ',' && text[at] != ']' && text[at] != '}') ++at;
    return at;
}

}  // namespace rankd::wire
