#include "engine/admission.h"

#include <algorithm>
#include <string>

namespace rankd::engine {

void Admission::learn(double work_us, Micros elapsed) {
    // Looks are about a turn apart: the mean of the last dozen milliseconds.
    constexpr double kWeight = 1.0 / 16, kLeast = 0.02, kMost = 1000;
    if (elapsed <= 0) return;
    const double seen = std::clamp(work_us / static_cast<double>(elapsed), kLeast, kMost);
    rate_ += kWeight * (seen - rate_);
}

namespace {

uint32_t milliseconds(double us) {
    return static_cast<uint32_t>(std::clamp(us / 1000, 0.0, 3'600'000.0));
}

}  // namespace

Status overloaded(const std::string& reason, double wait_us) {
    const uint32_t retry_ms = milliseconds(wait_us) + 1;
    return Status::overloaded(reason + "; try again in " + std::to_string(retry_ms) + " ms", retry_ms);
}

Status overloaded(double wait_us, double allowed_us) {
    return overloaded("this request would wait about " + std::to_string(milliseconds(wait_us)) + " ms and may wait " +
                          std::to_string(milliseconds(allowed_us)) + " ms",
                      wait_us - allowed_us);
}

}  // namespace rankd::engine
