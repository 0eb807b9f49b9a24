// How a request ended, in whichever transport.
#pragma once

#include <cstdint>

namespace rankd::load {

/// Codes of rpc answers and HTTP statuses as they are; the two that no server sends lie above them.
constexpr uint16_t kMaxRpcCode = 255;
constexpr uint16_t kConnectionLost = 1000;
constexpr uint16_t kProtocol = 1001;  ///< what came was no answer
constexpr uint16_t kOutcomes = 1002;

struct Outcome {
    bool is_ok = false;
    uint16_t code = 0;
    uint32_t retry_after_ms = UINT32_MAX;  ///< kNoAdvice when the answer named none
};

}  // namespace rankd::load
