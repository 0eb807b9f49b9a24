// Renders a command's report as text or as JSON.
#include "tools/report.h"

#include <cmath>
#include <cstdio>

namespace rankd::tools {
namespace {

std::string number(double value) {
    if (!std::isfinite(value)) return "null";  // JSON has no other word for it
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    return text;
}

template <typename... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

}  // namespace

std::string json_quote(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u%04x", c);
            quoted += escape;
        } else {
            quoted += c;
        }
    }
    quoted += '"';
    return quoted;
}

std::string Report::to_json() const {
    std::string json = "{";
    for (const auto& [name, value] : fields_) {
        if (json.size() > 1) json += ",";
        json += json_quote(name) + ":";
        json += std::visit(
            Overloaded{[](const std::string& text) { return json_quote(text); },
                       [](bool flag) { return std::string(flag ? "true" : "false"); },
                       [](double decimal) { return number(decimal); }, [](uint64_t integer) { return std::to_string(integer); },
                       [](const std::vector<Report>& list) {
                           std::string items = "[";
                           for (const Report& item : list) items.append(items.size() > 1 ? "," : "").append(item.to_json());
                           return items + "]";
                       }},
            value);
    }
    return json + "}";
}

std::string Report::to_text(std::string_view indent) const {
    std::string text;
    for (const auto& [name, value] : fields_) {
        text += std::string(indent) + name + ": ";
        text += std::visit(
            Overloaded{[](const std::string& line) { return line; }, [](bool flag) { return std::string(flag ? "yes" : "no"); },
                       [](double decimal) { return number(decimal); }, [](uint64_t integer) { return std::to_string(integer); },
                       [&](const std::vector<Report>& list) {
                           std::string items = std::to_string(list.size());
                           const std::string deeper = std::string(indent) + "    ";
                           for (const Report& item : list) {
                               items.append("\n").append(indent).append("  -\n").append(item.to_text(deeper));
                               items.pop_back();  // the line end follows below
                           }
                           return items;
                       }},
            value);
        text += "\n";
    }
    return text;
}

void Report::print(bool as_json) const {
    std::fputs((as_json ? to_json() + "\n" : to_text()).c_str(), stdout);
}

}  // namespace rankd::tools
