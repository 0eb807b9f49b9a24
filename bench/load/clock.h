// The generator's one clock: nanoseconds that never jump.
#pragma once

#include <time.h>

#include <cstdint>

namespace rankd::load {

/// Nanoseconds of CLOCK_MONOTONIC, or a span of them.
using Nanos = int64_t;

constexpr Nanos kMicrosecond = 1'000;
constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kForever = INT64_MAX;

inline Nanos now_ns() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<Nanos>(time.tv_sec) * kSecond + time.tv_nsec;
}

}  // namespace rankd::load
