// Durations as counters and answers carry them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace rankd::engine {

/// In µs, never below zero and never too large for 32 bits: more than an hour is an hour.
inline uint32_t elapsed(Micros from, Micros to) {
    return to > from ? static_cast<uint32_t>(std::min<Micros>(to - from, UINT32_MAX)) : 0;
}

}  // namespace rankd::engine
