// Looks for a name that stands twice in one map; JSON and msgpack both allow it, and neither says which value counts.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"

namespace rankd::wire {

/// A name that two of `entries` share, if any. Small maps are compared pair by pair; large ones are sorted, so that a
/// hostile map of thousands of names costs no square.
template <typename T>
std::optional<std::string_view> find_duplicate(std::span<T> entries, std::string_view T::* name, Arena& arena) {
    constexpr size_t kPairwise = 16;
    if (entries.size() <= kPairwise) {
        for (size_t i = 1; i < entries.size(); ++i) {
            for (size_t j = 0; j < i; ++j) {
                if (entries[i].*name == entries[j].*name) return entries[i].*name;
            }
        }
        return std::nullopt;
    }
    const std::span<std::string_view> names = arena.allocate<std::string_view>(entries.size());
    std::transform(entries.begin(), entries.end(), names.begin(), [name](const T& entry) { return entry.*name; });
    std::sort(names.begin(), names.end(),
              [](std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) return std::nullopt;
    return *twice;
}

}  // namespace rankd::wire
