// What is needed of an OIP body before it is decoded: how urgent it is, for admission; its id, for an error at the door.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wire/codec.h"

namespace rankd::wire {

/// The text at the beginning of a body. @param json_bytes  as of `OipContext`; beyond the body: nothing
std::string_view oip_json(std::span<const uint8_t> body, uint32_t json_bytes);

/// `timeout` and `priority` of the request's `parameters`; 0 where they did not come or are no integers from 0.
struct OipUrgency {
    uint64_t timeout_us = 0;
    uint8_t priority = 0;  ///< as of an `Envelope`: 1 = most urgent; whatever is less urgent than 9 is 9
};

/// A body without these names costs two searches for them, at the speed of memory where it is numbers; one with them a walk over
/// its members, about a nanosecond a byte.
OipUrgency peek_urgency(std::string_view json);

/// The request's `id`, if it is text.
std::optional<std::string> peek_id(std::string_view json);

}  // namespace rankd::wire
