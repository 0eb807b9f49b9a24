#include "engine/pace.h"

#include <algorithm>

namespace rankd::engine {
namespace {

constexpr Micros kWindow = 250'000;
/// Fewer answers say nothing about the hundredth.
constexpr uint64_t kLeastAnswers = 100;
constexpr double kLateShare = 0.01;
/// The promise is the caller's; sockets and the event loop take their part of it.
constexpr double kOurPart = 0.9;
/// Below this a batch is one request, and the wait less than a turn.
constexpr double kLeastBatchUs = 100, kLeastWaitShare = 0.1;

}  // namespace

void Pace::set(const ServingBounds& bounds) {
    if (bounds == this->bounds()) return;
    const double promised_us = bounds.slo_p99_ms * 1000.0 * kOurPart;
    const auto by_hand = [](uint32_t value, double unit_us, double otherwise) {
        return value == 0 ? otherwise : value * unit_us;
    };
    slo_p99_ms_.store(bounds.slo_p99_ms, std::memory_order_relaxed);
    max_batch_rows_.store(bounds.max_batch_rows, std::memory_order_relaxed);
    max_batch_us_.store(bounds.max_batch_us, std::memory_order_relaxed);
    max_wait_ms_.store(bounds.max_wait_ms, std::memory_order_relaxed);
    max_rows_.store(by_hand(bounds.max_batch_rows, 1, kUnbounded), std::memory_order_relaxed);
    batch_us_.store(by_hand(bounds.max_batch_us, 1, promised_us > 0 ? promised_us / 4 : kBatchUs), std::memory_order_relaxed);
    wait_us_.store(by_hand(bounds.max_wait_ms, 1000, promised_us > 0 ? promised_us : kUnbounded), std::memory_order_relaxed);
}

ServingBounds Pace::bounds() const {
    return {slo_p99_ms_.load(std::memory_order_relaxed), max_batch_rows_.load(std::memory_order_relaxed),
            max_batch_us_.load(std::memory_order_relaxed), max_wait_ms_.load(std::memory_order_relaxed)};
}

void Pace::adopt(const Pace& other) {
    set(other.bounds());
    batch_us_.store(other.batch_us(), std::memory_order_relaxed);
    wait_us_.store(other.wait_us(), std::memory_order_relaxed);
    ceiling_us_.store(other.ceiling_us_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void Pace::record(double total_us, Micros now) {
    const uint32_t slo_ms = slo_p99_ms_.load(std::memory_order_relaxed);
    if (slo_ms == 0) return;
    const uint64_t answers = answers_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (total_us > slo_ms * 1000.0 * kOurPart) late_.fetch_add(1, std::memory_order_relaxed);
    Micros due = next_look_.load(std::memory_order_relaxed);
    if (now < due || answers < kLeastAnswers) return;
    if (next_look_.compare_exchange_strong(due, now + kWindow, std::memory_order_relaxed)) adjust();
}

void Pace::adjust() {
    const auto answers = static_cast<double>(answers_.exchange(0, std::memory_order_relaxed));
    const double late = static_cast<double>(late_.exchange(0, std::memory_order_relaxed)) / std::max(answers, 1.0);
    const double promised_us = slo_p99_ms_.load(std::memory_order_relaxed) * 1000.0 * kOurPart;
    double batch_us = this->batch_us(), wait_us = this->wait_us(), ceiling_us = ceiling_us_.load(std::memory_order_relaxed);
    if (late > kLateShare) {
        // A few late: a little down. One in four late: half.
        const double down = std::clamp(1 - 2 * late, 0.5, 0.95);
        ceiling_us = wait_us;
        batch_us *= down;
        wait_us *= down;
    } else if (late < kLateShare / 2) {
        // Quickly back to where it was too much, and carefully from there (as CUBIC does).
        const bool is_careful = wait_us > 0.9 * ceiling_us;
        if (is_careful) ceiling_us *= 1.02;
        wait_us += promised_us / (is_careful ? 100 : 20);
        if (wants_more_.exchange(false, std::memory_order_relaxed)) batch_us *= is_careful ? 1.02 : 1.1;
    }
    ceiling_us_.store(ceiling_us, std::memory_order_relaxed);
    if (max_batch_us_.load(std::memory_order_relaxed) == 0)
        batch_us_.store(std::clamp(batch_us, kLeastBatchUs, std::max(kLeastBatchUs, promised_us / 2)), std::memory_order_relaxed);
    if (max_wait_ms_.load(std::memory_order_relaxed) == 0)
        wait_us_.store(std::clamp(wait_us, promised_us * kLeastWaitShare, promised_us), std::memory_order_relaxed);
}

}  // namespace rankd::engine
