// A scrape may see a request in one counter and not yet in the next.
#include "engine/statistics.h"

#include <algorithm>

namespace rankd::engine {
namespace {

#define X(number, name, http, retryable) static_assert(number < kCodeCount);
#include "base/status_codes.inc"
#undef X

void add_errors(const CodeCounts& codes, std::map<std::string, uint64_t>& named) {
    for (size_t i = 1; i < codes.size(); ++i)
        if (const uint64_t count = codes[i].value()) named[std::string(code_name(static_cast<Code>(i)))] += count;
}

}  // namespace

void OperationCounters::record(const RequestOutcome& outcome) {
    if (!is_on_) return;
    Part& part = parts_.own();
    const bool is_shared = part.is_shared;
    part.rows.add(outcome.rows, is_shared);
    part.codes[static_cast<size_t>(outcome.code)].add(1, is_shared);
    for (size_t i = 0; outcome.degraded >> i != 0; ++i)
        if ((outcome.degraded >> i & 1) != 0) part.degraded[i].add(1, is_shared);
    part.request_us.add(outcome.timing.total_us, is_shared);
    part.queue_us.add(outcome.timing.queue_us, is_shared);
    part.compute_us.add(outcome.timing.compute_us, is_shared);
}

void OperationCounters::record_batch(size_t requests) {
    if (!is_on_) return;
    Part& part = parts_.own();
    part.batch_requests.add(static_cast<uint32_t>(requests), part.is_shared);
}

void OperationCounters::record_stages(const pipeline::StageTimes& times) {
    if (!is_on_) return;
    Part& part = parts_.own();
    for (size_t i = 0; times.ran >> i != 0; ++i)
        if (times.has(i)) part.stage_us[i].add(times.us[i], part.is_shared);
}

void OperationCounters::Part::add_to(Snapshot& total) const {
    total.rows += rows.value();
    for (const Count& count : codes) total.requests += count.value();
    add_errors(codes, total.errors);
    for (size_t i = 0; i < degraded.size(); ++i)
        if (const uint64_t count = degraded[i].value()) total.degraded[std::string(wire::degraded_word(i))] += count;
    request_us.add_to(total.request_us);
    queue_us.add_to(total.queue_us);
    compute_us.add_to(total.compute_us);
    batch_requests.add_to(total.batch_requests);
    for (size_t i = 0; i < stage_us.size(); ++i) {
        const auto name = std::string(pipeline::kTimedStageNames[i]);
        stage_us[i].add_to(total.stage_us.try_emplace(name, kDurationScale).first->second);
    }
}

OperationCounters::Snapshot OperationCounters::snapshot() const {
    Snapshot snapshot;
    parts_.for_each([&](const Part& part) { part.add_to(snapshot); });
    std::erase_if(snapshot.stage_us, [](const auto& stage) { return stage.second.total() == 0; });
    return snapshot;
}

void ErrorCounters::record(Code code) {
    if (!is_on_) return;
    Part& part = parts_.own();
    part.codes[static_cast<size_t>(code)].add(1, part.is_shared);
}

std::map<std::string, uint64_t> ErrorCounters::snapshot() const {
    std::map<std::string, uint64_t> named;
    parts_.for_each([&](const Part& part) { add_errors(part.codes, named); });
    return named;
}

void Gauge::add(int64_t change) {
    Part& part = parts_.own();
    part.sum.add(static_cast<uint64_t>(change), part.is_shared);
}

uint64_t Gauge::value() const {
    uint64_t total = 0;
    parts_.for_each([&](const Part& part) { total += part.sum.value(); });
    return static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(total)));
}

}  // namespace rankd::engine
