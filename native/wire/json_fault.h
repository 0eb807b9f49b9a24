// Where a text stops being JSON, for the message of an error: the parser that reads good texts fast says only that it is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rankd::wire {

struct JsonFault {
    size_t at = 0;          ///< byte of the text
    std::string_view what;  ///< "expected a value"
    bool is_depth = false;  ///< it may be JSON, but nested too deep
};

/// The first fault; none in a text that is JSON, but that NaN, Infinity and -Infinity may stand for numbers.
/// @param max_depth  maps and lists in each other
std::optional<JsonFault> find_json_fault(std::string_view text, uint32_t max_depth);

}  // namespace rankd::wire
