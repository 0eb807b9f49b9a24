// The words of wire errors: where in a body something stands, and what stands there. Touched only when a request fails.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/value.h"

namespace rankd::wire {

namespace detail {
inline void append_part(std::string& out, std::string_view part) {
    out.append(part);
}
template <std::integral T>
void append_part(std::string& out, T part) {
    out.append(std::to_string(part));
}
}  // namespace detail

/// Texts and integers, one after the other.
template <typename... Parts>
std::string concat(const Parts&... parts) {
    std::string out;
    (detail::append_part(out, parts), ...);
    return out;
}

/// A place in a body as a chain on the stack: building it costs nothing until `text` is asked for.
/// `"k"`, `history[3]`, `candidates[7].features["age"]`.
class Where {
  public:
    explicit Where(std::string_view field) : name_(field), kind_(Kind::kField) {}
    /// Element `index` of the list at `parent`.
    Where(const Where& parent, size_t index) : parent_(&parent), index_(index), kind_(Kind::kIndex) {}

    /// A field of ours inside the map at `parent`: `.features`.
    static Where member(const Where& parent, std::string_view name) { return {parent, name, Kind::kMember}; }
    /// A name of the caller's inside the map at `parent`: `["age"]`.
    static Where entry(const Where& parent, std::string_view name) { return {parent, name, Kind::kEntry}; }

    std::string text() const;

  private:
    enum class Kind : uint8_t { kField, kIndex, kMember, kEntry };
    Where(const Where& parent, std::string_view name, Kind kind) : parent_(&parent), name_(name), kind_(kind) {}
    void append_to(std::string& out) const;

    const Where* parent_ = nullptr;
    std::string_view name_;
    size_t index_ = 0;
    Kind kind_;
};

/// The caller's text between quotes: cut at 40 bytes, control characters and broken UTF-8 replaced, so that it can be shown
/// anywhere.
std::string quoted(std::string_view text);

std::string describe_number(double number);

/// The one of `names` that `word` is a slip of (edit distance at most 2), or an empty view.
std::string_view closest_name(std::string_view word, const std::string_view* names, size_t count);

/// What a value is, for the end of "must be …, got …".
template <WireValue V>
std::string describe(const V& value) {
    switch (value.type()) {
        case ValueType::kNil:
            return std::string(V::kNilWord);
        case ValueType::kBool:
            return value.boolean() ? "true (boolean)" : "false (boolean)";
        case ValueType::kUnsigned:
            return concat(value.integer(), " (integer)");
        case ValueType::kNegative:
            return concat(value.negative(), " (integer)");
        case ValueType::kFloat:
            return concat(describe_number(value.number()), " (number)");
        case ValueType::kText:
            return concat(quoted(value.text()), " (text)");
        case ValueType::kBinary:
            return concat(value.binary().size(), " bytes (binary)");
        case ValueType::kList:
            return concat("a list of ", value.size());
        case ValueType::kMap:
            return concat("a map of ", value.size());
    }
    return "nothing";
}

}  // namespace rankd::wire
