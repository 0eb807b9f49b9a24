// One object of the spec, read strictly: a key that nobody asked for is an error, and messages name the whole path of a field.
#pragma once

#include <simdjson.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::load {

/// What a number may be, and how that reads in a message.
struct Range {
    double least;
    double most = std::numeric_limits<double>::max();
    bool is_above = false;  ///< `least` itself is not allowed
};

class SpecFields {
  public:
    /// @param where  the path of the object, empty for the whole spec
    static Result<SpecFields> of(const simdjson::dom::element& value, std::string where);

    /// The value of a key, or nothing when it is absent or null.
    std::optional<simdjson::dom::element> take(std::string_view key);
    Result<simdjson::dom::element> take_required(std::string_view key);

    /// Each leaves `out` as it is when the key is absent and not required.
    Status text(std::string_view key, std::string& out, bool required);
    Status number(std::string_view key, double& out, Range range, bool required);
    Status integer(std::string_view key, uint32_t& out, Range range, bool required);
    Status seed(std::string_view key, uint64_t& out);

    /// INVALID_ARGUMENT about the first key that nobody asked for.
    Status finish() const;

    std::string path(std::string_view key) const;
    /// `<path>: expected <expected>, got <value>`
    Status unexpected(std::string_view key, std::string_view expected, const simdjson::dom::element& value) const;
    const simdjson::dom::object& entries() const { return object_; }

  private:
    SpecFields(simdjson::dom::object object, std::string where) : object_(object), where_(std::move(where)) {}
    Status missing(std::string_view key) const;

    simdjson::dom::object object_;
    std::string where_;
    std::vector<std::string_view> known_;
};

/// A JSON value as a message shows it: short values whole, others by their type.
std::string describe_json(const simdjson::dom::element& value);

}  // namespace rankd::load
