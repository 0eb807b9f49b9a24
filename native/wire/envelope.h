// The first seven elements of a request frame: all that admission needs, and enough to echo the id of a broken body.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "wire/codec.h"
#include "wire/id.h"

namespace rankd::wire {

constexpr uint64_t kFrameVersion = 1;

/// `[1, op, id, target, deadline_ms, priority, rows, body]`; views point into the frame.
struct Envelope {
    Operation operation = Operation::kRecommend;
    Id request_id;             ///< nil, an unsigned integer or text up to 128 bytes; echoed as it came
    std::string_view target;   ///< `name`, `name@alias` or `name@version`
    uint32_t deadline_ms = 0;  ///< time left for this request; 0 when the caller set none
    uint8_t priority = 0;      ///< 0 = default, 1 = most urgent … 9 = least
    int64_t timeout_us = 0;    ///< OIP: the same, from the body; the earlier of both counts
    uint32_t rows = 0;         ///< the caller's count of candidates or rows, a hint that nothing uses yet; 0 = not said
    std::span<const uint8_t> body;
};

/// Reads a msgpack frame. On failure `envelope.request_id` still holds the id when it could be read.
Status read_envelope(std::span<const uint8_t> frame, const Limits& limits, Envelope& envelope);

/// `name[@selector]` split at the first `@`; the selector is an alias or a version ("2" means "2.0.0").
struct Target {
    std::string_view name;
    std::string_view selector;
};
Result<Target> parse_target(std::string_view target);

}  // namespace rankd::wire
