// The caller's place in a distributed trace, as W3C Trace Context writes it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rankd::wire {

struct TraceContext {
    std::array<uint8_t, 16> trace_id{};
    std::array<uint8_t, 8> parent_id{};
    bool is_known = false;    ///< false: the caller sent none, or none that is valid
    bool is_sampled = false;  ///< the caller records this trace
};

/// Reads `00-<trace id>-<parent id>-<flags>`. What is not valid counts as not sent, as the specification (section 3.2) asks, and
/// a version above 00 is read as far as 00 goes.
TraceContext parse_traceparent(std::string_view text);

/// Lower-case hexadecimal.
std::string hex(std::span<const uint8_t> bytes);

}  // namespace rankd::wire
