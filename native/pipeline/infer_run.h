// One run of `infer`'s graph as the clock saw it: statistics are made of it.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace rankd::pipeline {

struct InferRun {
    uint32_t rows = 0;       ///< along dimension 0, of all its requests together; 1 where requests are not batched
    Micros began_at = 0;     ///< gathering inputs
    Micros ran_at = 0;       ///< the graph
    Micros computed_at = 0;  ///< handing out outputs
    Micros ended_at = 0;
};

/// The place of a request's run among those of its batch, before it has one.
constexpr uint32_t kNoRun = UINT32_MAX;

}  // namespace rankd::pipeline
