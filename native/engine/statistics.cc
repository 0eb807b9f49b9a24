// Relaxed atomics suffice: a scrape may see a request in one counter and not yet in the next.
#include "engine/statistics.h"

#include <algorithm>

namespace rankd::engine {
namespace {

constexpr std::array<double, 19> kLatencyBounds = {10,      20,        50,        100,       200,       500,     1'000,
                                                   2'000,   5'000,     10'000,    20'000,    50'000,    100'000, 200'000,
                                                   500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000};
constexpr std::array<double, 13> kBatchBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

#define X(number, name, http, retryable) static_assert(number < kCodeCount);
#include "base/status_codes.inc"
#undef X

std::map<std::string, uint64_t> named_errors(const std::array<std::atomic<uint64_t>, kCodeCount>& codes) {
    std::map<std::string, uint64_t> named;
    for (size_t i = 1; i < codes.size(); ++i)
        if (const uint64_t count = codes[i].load(std::memory_order_relaxed))
            named.emplace(code_name(static_cast<Code>(i)), count);
    return named;
}

}  // namespace

std::span<const double> latency_bounds_us() {
    return kLatencyBounds;
}
std::span<const double> batch_bounds() {
    return kBatchBounds;
}

void Histogram::add(double value) {
    const auto bucket = static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot snapshot;
    snapshot.bounds.assign(bounds_.begin(), bounds_.end());
    for (size_t i = 0; i <= bounds_.size(); ++i) snapshot.counts.push_back(counts_[i].load(std::memory_order_relaxed));
    snapshot.sum = sum_.load(std::memory_order_relaxed);
    return snapshot;
}

void OperationCounters::record(const RequestOutcome& outcome) {
    if (!is_on_) return;
    requests_.fetch_add(1, std::memory_order_relaxed);
    rows_.fetch_add(outcome.rows, std::memory_order_relaxed);
    codes_[static_cast<size_t>(outcome.code)].fetch_add(1, std::memory_order_relaxed);
    for (size_t i = 0; outcome.degraded != 0 && i < kDegradedCount; ++i)
        if (outcome.degraded & (1u << i)) degraded_[i].fetch_add(1, std::memory_order_relaxed);
    request_us_.add(outcome.timing.total_us);
    queue_us_.add(outcome.timing.queue_us);
    compute_us_.add(outcome.timing.compute_us);
}

OperationCounters::Snapshot OperationCounters::snapshot() const {
    Snapshot snapshot;
    snapshot.requests = requests_.load(std::memory_order_relaxed);
    snapshot.rows = rows_.load(std::memory_order_relaxed);
    snapshot.errors = named_errors(codes_);
    for (size_t i = 0; i < kDegradedCount; ++i)
        if (const uint64_t count = degraded_[i].load(std::memory_order_relaxed))
            snapshot.degraded.emplace(wire::degraded_word(i), count);
    snapshot.request_us = request_us_.snapshot();
    snapshot.queue_us = queue_us_.snapshot();
    snapshot.compute_us = compute_us_.snapshot();
    snapshot.batch_requests = batch_requests_.snapshot();
    return snapshot;
}

std::map<std::string, uint64_t> ErrorCounters::snapshot() const {
    return named_errors(codes_);
}

}  // namespace rankd::engine
