// Replays a bundle's golden requests through the whole engine and compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace rankd::engine {

struct GoldenReport {
    uint32_t passed = 0;
    double largest_difference = 0;        ///< of any compared score
    std::vector<std::string> mismatches;  ///< one sentence each
};

/// @return BUNDLE_INVALID when golden.msgpack cannot be read; a mismatch is in the report
Result<GoldenReport> replay_golden(Model& model, Executor& executor);

}  // namespace rankd::engine
