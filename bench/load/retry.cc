#include "retry.h"

#include <algorithm>

#include "base/status.h"

namespace rankd::load {
namespace {

constexpr uint16_t kTooManyRequests = 429;
constexpr uint16_t kServiceUnavailable = 503;
/// Tells the jitter's stream from the one of the arrivals.
constexpr uint64_t kJitter = 0x9e3779b97f4a7c15;
constexpr double kLongestBackoffMs = 60'000;

}  // namespace

bool is_retryable(Transport transport, const Outcome& outcome) {
    if (outcome.code == kConnectionLost) return true;
    if (transport == Transport::kHttp) return outcome.code == kTooManyRequests || outcome.code == kServiceUnavailable;
    return outcome.code == static_cast<uint16_t>(Code::OVERLOADED) || outcome.code == static_cast<uint16_t>(Code::DRAINING);
}

Retries::Retries(const RetrySpec& spec, Transport transport, uint64_t seed)
    : spec_(spec), transport_(transport), random_(seed ^ kJitter) {}

std::optional<Nanos> Retries::wait_before_next(const Outcome& outcome, uint32_t attempts, Nanos left) {
    if (attempts >= spec_.max_attempts || !is_retryable(transport_, outcome)) return std::nullopt;
    if (static_cast<double>(granted_ + 1) > spec_.budget * static_cast<double>(sent_)) return std::nullopt;
    const Nanos wait = wait_after(outcome, attempts);
    if (wait >= left) return std::nullopt;
    ++granted_;
    return wait;
}

Nanos Retries::wait_after(const Outcome& outcome, uint32_t attempts) {
    if (outcome.retry_after_ms != UINT32_MAX) return Nanos{outcome.retry_after_ms} * kMillisecond;
    const double longest = std::min(spec_.backoff_ms * static_cast<double>(uint64_t{1} << (attempts - 1)), kLongestBackoffMs);
    const double fraction = static_cast<double>(random_() >> 11) * 0x1p-53;
    return static_cast<Nanos>(fraction * longest * static_cast<double>(kMillisecond));
}

void Retries::schedule(uint32_t request, Nanos due) {
    waiting_.push_back({due, request});
    std::push_heap(waiting_.begin(), waiting_.end());
}

uint32_t Retries::pop() {
    std::pop_heap(waiting_.begin(), waiting_.end());
    const uint32_t request = waiting_.back().request;
    waiting_.pop_back();
    return request;
}

}  // namespace rankd::load
