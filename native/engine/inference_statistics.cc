// Counts of `infer`, each kept once: what can be summed from another count is summed by whoever reads.
#include "engine/inference_statistics.h"

#include <algorithm>
#include <chrono>

namespace rankd::engine {
namespace {

uint64_t ms_since_1970() {
    using namespace std::chrono;
    return static_cast<uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace

FailureReason failure_reason(Code code) {
    switch (code) {
        case Code::OVERLOADED:
        case Code::DEADLINE_EXCEEDED:
        case Code::DRAINING:
        case Code::ENGINE_CLOSED:
            return FailureReason::kRejected;
        case Code::CANCELLED:
            return FailureReason::kCanceled;
        case Code::MODEL_FAILED:
        case Code::INTERNAL:
            return FailureReason::kBackend;
        default:
            return FailureReason::kOther;
    }
}

RunCounts::~RunCounts() {
    for (std::atomic<Size*>& head : heads_)
        for (const Size* size = head.load(std::memory_order_relaxed); size != nullptr;) {
            const Size* const next = size->next;
            delete size;
            size = next;
        }
}

RunCounts::Size& RunCounts::size(uint32_t rows) {
    std::atomic<Size*>& head = heads_[rows % kHeads];
    Size* const first = head.load(std::memory_order_acquire);
    for (Size* size = first; size != nullptr; size = size->next)
        if (size->rows == rows) return *size;
    Size* const added = new Size{rows, first, {}, {}, {}, {}};
    while (!head.compare_exchange_weak(added->next, added, std::memory_order_acq_rel, std::memory_order_acquire)) {
    }
    return *added;
}

void RunCounts::add(uint32_t rows, const RunTimes& times, bool is_shared) {
    Size& of_size = size(rows);
    of_size.runs.add(1, is_shared);
    of_size.input_us.add(times.input_us, is_shared);
    of_size.infer_us.add(times.infer_us, is_shared);
    of_size.output_us.add(times.output_us, is_shared);
}

void RunCounts::add_to(std::map<uint32_t, Snapshot>& total) const {
    for (const std::atomic<Size*>& head : heads_)
        for (const Size* size = head.load(std::memory_order_acquire); size != nullptr; size = size->next) {
            Snapshot& of_size = total[size->rows];
            of_size.runs += size->runs.value();
            of_size.input_us += size->input_us.value();
            of_size.infer_us += size->infer_us.value();
            of_size.output_us += size->output_us.value();
        }
}

void InferenceStatistics::record(const InferenceOutcome& success) {
    if (!is_on_) return;
    Part& part = parts_.own();
    const bool is_shared = part.is_shared;
    part.last_inference_ms.store(ms_since_1970(), std::memory_order_relaxed);
    part.request_us.add(success.total_us, is_shared);
    part.queue_us.add(success.queue_us, is_shared);
    if (success.cache == InferenceOutcome::Cache::kHit) {
        part.hits.add(1, is_shared);
        part.hit_us.add(success.cache_us, is_shared);
        return;
    }
    part.inference_count.add(success.rows, is_shared);
    part.input_us.add(success.times.input_us, is_shared);
    part.infer_us.add(success.times.infer_us, is_shared);
    part.output_us.add(success.times.output_us, is_shared);
    if (success.cache == InferenceOutcome::Cache::kUnasked) return;
    part.misses.add(1, is_shared);
    part.miss_us.add(success.cache_us, is_shared);
}

void InferenceStatistics::record_failure(FailureReason reason, uint32_t total_us) {
    if (!is_on_) return;
    Part& part = parts_.own();
    part.failures[static_cast<size_t>(reason)].add(1, part.is_shared);
    part.failed_us.add(total_us, part.is_shared);
}

void InferenceStatistics::record_run(uint32_t rows, const RunTimes& times) {
    if (!is_on_) return;
    Part& part = parts_.own();
    part.runs.add(rows, times, part.is_shared);
}

void InferenceStatistics::Part::add_to(Snapshot& total) const {
    total.last_inference_ms = std::max(total.last_inference_ms, last_inference_ms.load(std::memory_order_relaxed));
    total.inference_count += inference_count.value();
    request_us.add_to(total.request_us);
    queue_us.add_to(total.queue_us);
    input_us.add_to(total.input_us);
    infer_us.add_to(total.infer_us);
    output_us.add_to(total.output_us);
    total.cache_hit.count += hits.value();
    total.cache_hit.us += hit_us.value();
    total.cache_miss.count += misses.value();
    total.cache_miss.us += miss_us.value();
    for (size_t i = 0; i < kFailureReasons; ++i) total.failures[i] += failures[i].value();
    total.fail.us += failed_us.value();
    runs.add_to(total.batches);
}

InferenceStatistics::Snapshot InferenceStatistics::snapshot() const {
    Snapshot snapshot;
    parts_.for_each([&](const Part& part) { part.add_to(snapshot); });
    for (const uint64_t count : snapshot.failures) snapshot.fail.count += count;
    for (const auto& [rows, runs] : snapshot.batches) snapshot.execution_count += runs.runs;
    snapshot.pending = is_on_ ? pending() : 0;
    return snapshot;
}

}  // namespace rankd::engine
