// JSON bodies through simdjson's DOM: the whole text is validated before the first field is looked at.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/high_water.h"
#include "base/status.h"
#include "wire/codec.h"
#include "wire/value.h"

namespace rankd::wire {

/// One element of a parsed document, valid until the parser's next document. See `WireValue`.
class JsonValue {
  public:
    static constexpr std::string_view kNilWord = "null";
    static std::string_view keep(std::string_view text, Arena& arena) { return arena.copy(text); }

    explicit JsonValue(simdjson::dom::element element) : element_(element) {}

    ValueType type() const {
        using simdjson::dom::element_type;
        switch (element_.type()) {
            case element_type::ARRAY:
                return ValueType::kList;
            case element_type::OBJECT:
                return ValueType::kMap;
            case element_type::INT64:
                return negative() < 0 ? ValueType::kNegative : ValueType::kUnsigned;
            case element_type::UINT64:
                return ValueType::kUnsigned;
            case element_type::DOUBLE:
                return ValueType::kFloat;
            case element_type::STRING:
                return ValueType::kText;
            case element_type::BOOL:
                return ValueType::kBool;
            case element_type::NULL_VALUE:
                return ValueType::kNil;
        }
        return ValueType::kNil;
    }
    bool boolean() const { return element_.get_bool().value_unsafe(); }
    uint64_t integer() const { return element_.get_uint64().value_unsafe(); }
    int64_t negative() const { return element_.get_int64().value_unsafe(); }
    double number() const { return element_.get_double().value_unsafe(); }
    std::string_view text() const { return element_.get_string().value_unsafe(); }
    std::span<const uint8_t> binary() const { return {}; }

    size_t size() const {
        if (element_.is_object()) return element_.get_object().value_unsafe().size();
        const simdjson::dom::array list = element_.get_array().value_unsafe();
        constexpr size_t kSaturated = 0xFFFFFF;  // simdjson stores counts in 24 bits
        if (list.size() < kSaturated) return list.size();
        size_t count = 0;
        for (auto at = list.begin(); at != list.end(); ++at) ++count;
        return count;
    }

    template <typename Visitor>
    bool for_each_element(Visitor&& visit) const {
        const simdjson::dom::array list = element_.get_array().value_unsafe();
        for (const simdjson::dom::element element : list) {
            if (!visit(JsonValue(element))) return false;
        }
        return true;
    }
    template <typename Visitor>
    bool for_each_member(Visitor&& visit) const {
        const simdjson::dom::object map = element_.get_object().value_unsafe();
        for (const auto [key, value] : map) {
            if (!visit(key, JsonValue(value))) return false;
        }
        return true;
    }

  private:
    simdjson::dom::element element_;
};

static_assert(WireValue<JsonValue>);

/// A parser whose buffers settle at what its bodies need: a steady state allocates nothing, and what a burst left goes.
class JsonParser {
  public:
    /// @param max_depth  maps and lists in each other
    explicit JsonParser(uint32_t max_depth) : max_depth_(max_depth) {}

    /// @param text  kBodyPadding readable bytes follow
    /// @param root  valid until the next call
    simdjson::error_code parse(std::span<const uint8_t> text, simdjson::dom::element& root);
    uint32_t max_depth() const { return max_depth_; }

  private:
    simdjson::dom::parser parser_;
    HighWater high_water_;
    uint32_t max_depth_;
};

/// Parses `body`, behind which `kBodyPadding` bytes are readable.
/// @return INVALID_BODY, LIMIT_EXCEEDED (depth) or NOT_FINITE (a number that no double can hold), saying where
Status parse_json(JsonParser& parser, std::span<const uint8_t> body, simdjson::dom::element& root);

}  // namespace rankd::wire
