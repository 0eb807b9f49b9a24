#include "wire/describe.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/utf8.h"

namespace rankd::wire {

void Where::append_to(std::string& out) const {
    if (parent_ != nullptr) parent_->append_to(out);
    switch (kind_) {
        case Kind::kField:
            out.append(name_);
            break;
        case Kind::kIndex:
            out.append(concat("[", index_, "]"));
            break;
        case Kind::kMember:
            out.append(concat(".", name_));
            break;
        case Kind::kEntry:
            out.append(concat("[", quoted(name_), "]"));
            break;
    }
}

std::string Where::text() const {
    if (kind_ == Kind::kField) return concat("\"", name_, "\"");
    std::string out;
    append_to(out);
    return out;
}

std::string quoted(std::string_view text) {
    constexpr size_t kShownBytes = 40;
    std::string out = "\"";
    size_t at = 0;
    while (at < text.size() && at < kShownBytes) {
        const size_t bytes = utf8_sequence_bytes(text.substr(at));
        const bool control = static_cast<unsigned char>(text[at]) < 0x20 || text[at] == 0x7F;
        out.append(bytes == 0 || control ? kReplacementCharacter : text.substr(at, bytes));
        at += std::max<size_t>(bytes, 1);
    }
    out.append(at < text.size() ? "…\"" : "\"");
    return out;
}

std::string describe_number(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number);
    return std::string(digits, end.ptr);
}

namespace {

constexpr size_t kLongestName = 32;

/// Levenshtein distance, one row at a time; both words are at most kLongestName long.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<size_t, kLongestName + 1> row;
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view closest_name(std::string_view word, const std::string_view* names, size_t count) {
    if (word.size() > kLongestName) return {};
    std::string_view best;
    size_t best_distance = 3;
    for (size_t i = 0; i < count; ++i) {
        const size_t distance = edit_distance(word, names[i]);
        // A distance as long as the word itself shares no letter with it: "q" is no slip of "k".
        if (distance < best_distance && distance < std::min(word.size(), names[i].size())) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace rankd::wire
