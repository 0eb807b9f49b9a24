// A strict view of one JSON object: every key must be asked for, every message names the path of the key.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::pipeline {

/// BUNDLE_INVALID about one place of manifest.json.
Status invalid(const std::string& where, const std::string& what);

class Fields {
  public:
    static Result<Fields> of(const simdjson::dom::element& value, std::string where);

    /// The value of a key, or nothing when it is absent or null.
    std::optional<simdjson::dom::element> take(std::string_view key);

    Status text(std::string_view key, std::string& out, bool required = false);
    Status count(std::string_view key, uint32_t& out, uint32_t least);
    /// An integer from `least` to `most`.
    Status whole(std::string_view key, uint64_t& out, uint64_t least, uint64_t most);
    Status flag(std::string_view key, bool& out);
    Status texts(std::string_view key, std::vector<std::string>& out);
    Status numbers(std::string_view key, std::vector<float>& out);

    /// Names the first key that nobody asked for.
    Status finish() const;

    std::string path(std::string_view key) const;
    const simdjson::dom::object& entries() const { return object_; }

  private:
    Fields(simdjson::dom::object fields, std::string where) : object_(fields), where_(std::move(where)) {}

    simdjson::dom::object object_;
    std::string where_;
    std::vector<std::string_view> known_;
};

}  // namespace rankd::pipeline
