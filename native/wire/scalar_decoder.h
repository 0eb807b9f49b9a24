// The small parts that bodies are made of: ids, numbers, texts, lists of ids and maps of named numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/arena.h"
#include "base/status.h"
#include "wire/codec.h"
#include "wire/describe.h"
#include "wire/find_duplicate.h"
#include "wire/request.h"
#include "wire/value.h"

namespace rankd::wire {

/// Every method returns false after leaving the first error in the shared `failure`.
template <WireValue V>
class ScalarDecoder {
  public:
    ScalarDecoder(const Limits& limits, Arena& arena, Status& failure) : limits_(limits), arena_(arena), failure_(failure) {}

  protected:
    template <typename... Parts>
    bool fail(Code code, const Parts&... parts) {
        failure_ = Status(code, concat(parts...));
        return false;
    }
    bool fail_type(const Where& where, std::string_view expected, const V& value) {
        return fail(Code::INVALID_ARGUMENT, where.text(), " must be ", expected, ", got ", describe(value));
    }
    bool fail_count(const Where& where, size_t count, size_t limit) {
        return fail(Code::LIMIT_EXCEEDED, where.text(), " has ", count, " entries: at most ", limit, " are accepted");
    }

    bool decode_text(const V& value, const Where& where, std::string_view& out) {
        if (value.type() != ValueType::kText) return fail_type(where, "text", value);
        if (!check_length(value.text(), limits_.max_string_bytes, where)) return false;
        out = V::keep(value.text(), arena_);
        return true;
    }

    bool decode_bool(const V& value, const Where& where, bool& out) {
        if (value.type() != ValueType::kBool) return fail_type(where, "true or false", value);
        out = value.boolean();
        return true;
    }

    bool decode_id(const V& value, const Where& where, Id& out) {
        if (value.type() == ValueType::kText && !value.text().empty()) {
            if (!check_length(value.text(), limits_.max_id_bytes, where)) return false;
            out = Id::of(V::keep(value.text(), arena_));
            return true;
        }
        if (const auto integer = unsigned_integer(value)) {
            out = Id::of(*integer);
            return true;
        }
        return fail_type(where, "an id (a non-empty text or an integer from 0)", value);
    }

    bool decode_ids(const V& value, const Where& where, size_t limit, std::span<const Id>& out) {
        if (value.type() != ValueType::kList) return fail_type(where, "a list of ids", value);
        if (value.size() > limit) return fail_count(where, value.size(), limit);
        const std::span<Id> ids = arena_.allocate<Id>(value.size());
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& element) {
            const size_t at = count++;
            return decode_id(element, Where(where, at), ids[at]);
        });
        out = ids;
        return read;
    }

    bool decode_number(const V& value, const Where& where, float& out) {
        if (!is_number(value)) return fail_type(where, "a number", value);
        out = static_cast<float>(value.number());
        if (std::isfinite(out)) [[likely]]
            return true;
        return fail(Code::NOT_FINITE, where.text(), " must be a finite 32-bit float, got ", describe(value));
    }

    /// @param like  a map decoded before in the same list, or empty: maps of one list mostly carry the same names in the same
    /// order,
    ///              which then share their text and need no search for duplicates
    bool decode_features(const V& value, const Where& where, FeatureMap like, FeatureMap& out) {
        if (value.type() != ValueType::kMap) return fail_type(where, "a map of feature names to numbers", value);
        if (value.size() > limits_.max_features) return fail_count(where, value.size(), limits_.max_features);
        const std::span<NamedNumber> numbers = arena_.allocate<NamedNumber>(value.size());
        bool same_names = like.size() == numbers.size();
        size_t count = 0;
        const bool read = value.for_each_member([&](std::string_view name, const V& number) {
            NamedNumber& slot = numbers[count];
            same_names = same_names && like[count].name == name;
            ++count;
            if (!same_names && !check_length(name, limits_.max_string_bytes, where)) return false;
            slot.name = same_names ? like[count - 1].name : V::keep(name, arena_);
            return decode_number(number, Where::entry(where, name), slot.value);
        });
        if (!read) return false;
        out = numbers;
        return same_names || check_unique(where, numbers, &NamedNumber::name);
    }

    template <typename T>
    bool check_unique(const Where& where, std::span<T> entries, std::string_view T::* name) {
        const auto twice = find_duplicate(entries, name, arena_);
        return !twice || fail(Code::INVALID_ARGUMENT, where.text(), " names ", quoted(*twice), " twice");
    }

    bool check_length(std::string_view text, size_t limit, const Where& where) {
        if (text.size() <= limit) [[likely]]
            return true;
        return fail(Code::LIMIT_EXCEEDED, where.text(), " holds a text of ", text.size(), " bytes: at most ", limit,
                    " are accepted");
    }

    const Limits& limits_;
    Arena& arena_;
    Status& failure_;
};

}  // namespace rankd::wire
