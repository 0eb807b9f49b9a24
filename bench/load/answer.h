// An rpc answer frame `[1, id, code, seq, last, body]`, read with suspicion (format: docs/wire-format.md).
#pragma once

#include <cstdint>
#include <span>

#include "outcome.h"

namespace rankd::load {

struct Answer {
    bool is_valid = false;
    bool is_last = false;
    uint64_t id = 0;
    Outcome outcome;
};

/// The envelope; of the body `retry_after_ms` alone is read, and only where the code is an error.
Answer read_answer(std::span<const uint8_t> message);

}  // namespace rankd::load
