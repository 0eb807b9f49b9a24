// Replays a bundle's golden requests through the whole engine and compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/golden_file.h"

namespace rankd::engine {

struct GoldenReport {
    uint32_t passed = 0;
    double largest_difference = 0;        ///< of any compared score
    std::vector<std::string> mismatches;  ///< one sentence each
};

GoldenReport replay_golden(const GoldenFile& golden, Model& model, Executor& executor);

}  // namespace rankd::engine
