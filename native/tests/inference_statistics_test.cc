// Statistics of `infer`: whatever became of the requests, each is counted once, where it ended.
#include "engine/inference_statistics.h"

#include <map>
#include <random>
#include <thread>

#include "tests/infer_caller.h"

namespace rankd {
namespace {

using engine::FailureReason;
using engine::InferenceOutcome;
using engine::InferenceStatistics;
using test::FakeSessionControl;

using Snapshot = InferenceStatistics::Snapshot;

uint64_t failures(const Snapshot& seen, FailureReason reason) {
    return seen.failures[static_cast<size_t>(reason)];
}

TEST("a computed request counts its rows, one from the cache only that it was answered") {
    InferenceStatistics statistics(true);
    statistics.record({.rows = 3, .queue_us = 5, .times = {1, 20, 4}, .total_us = 30});
    statistics.record(
        {.cache = InferenceOutcome::Cache::kMiss, .rows = 1, .queue_us = 1, .times = {1, 10, 1}, .cache_us = 2, .total_us = 15});
    statistics.record({.cache = InferenceOutcome::Cache::kHit, .queue_us = 7, .times = {}, .cache_us = 3, .total_us = 10});
    const Snapshot seen = statistics.snapshot();
    CHECK_EQ(seen.inference_count, 4u);
    CHECK_EQ(seen.request_us.total(), 3u);
    CHECK_EQ(seen.request_us.sum, 55u);
    CHECK_EQ(seen.queue_us.total(), 3u);
    for (const auto* computed : {&seen.input_us, &seen.infer_us, &seen.output_us}) CHECK_EQ(computed->total(), 2u);
    CHECK_EQ(seen.infer_us.sum, 30u);
    CHECK_EQ(seen.cache_hit.count, 1u);
    CHECK_EQ(seen.cache_hit.us, 3u);
    CHECK_EQ(seen.cache_miss.count, 1u);
    CHECK_EQ(seen.cache_miss.us, 2u);
    CHECK(seen.last_inference_ms > 0);
    CHECK_EQ(seen.execution_count, 0u);
}

TEST("runs are counted by their size, whatever sizes there are and however many threads run them") {
    constexpr uint32_t kSizes = 200, kThreads = 4, kRounds = 50;
    InferenceStatistics statistics(true);
    std::vector<std::thread> threads;
    for (uint32_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            for (uint32_t i = 0; i < kRounds * kSizes; ++i) statistics.record_run(1 + i % kSizes, {1, i % kSizes, 2});
        });
    for (std::thread& thread : threads) thread.join();
    const Snapshot seen = statistics.snapshot();
    CHECK_EQ(seen.execution_count, uint64_t{kThreads} * kRounds * kSizes);
    CHECK_EQ(seen.batches.size(), kSizes);
    for (const auto& [rows, runs] : seen.batches) {
        CHECK_EQ(runs.runs, kThreads * kRounds);
        CHECK_EQ(runs.infer_us, uint64_t{kThreads} * kRounds * (rows - 1));
    }
}

TEST("threads that share one place lose no run either") {
    constexpr uint32_t kThreads = 8, kSizes = 40;
    engine::RunCounts counts;
    std::vector<std::thread> threads;
    for (uint32_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            for (uint32_t i = 0; i < 1000; ++i) counts.add(i % kSizes, {}, true);
        });
    for (std::thread& thread : threads) thread.join();
    std::map<uint32_t, engine::RunCounts::Snapshot> seen;
    counts.add_to(seen);
    CHECK_EQ(seen.size(), kSizes);
    for (const auto& [rows, runs] : seen) CHECK_EQ(runs.runs, kThreads * 1000 / kSizes);
}

TEST("every code has one of the four reasons") {
    CHECK(engine::failure_reason(Code::OVERLOADED) == FailureReason::kRejected);
    CHECK(engine::failure_reason(Code::DEADLINE_EXCEEDED) == FailureReason::kRejected);
    CHECK(engine::failure_reason(Code::CANCELLED) == FailureReason::kCanceled);
    CHECK(engine::failure_reason(Code::MODEL_FAILED) == FailureReason::kBackend);
    CHECK(engine::failure_reason(Code::INVALID_ARGUMENT) == FailureReason::kOther);
}

engine::CoreOptions mixed_options(unsigned compute_threads, uint64_t response_cache_bytes) {
    engine::CoreOptions options = test::fake_options(compute_threads);
    options.short_work_us = 0;  // once its cost is known, work goes to the workers where there are any
    options.response_cache_bytes = response_cache_bytes;
    return options;
}

void check_counts(const Snapshot& seen, const test::Sent& sent, bool is_cached) {
    CHECK_EQ(seen.request_us.total(), sent.answered);
    CHECK_EQ(seen.queue_us.total(), sent.answered);
    CHECK_EQ(seen.cache_hit.count + seen.cache_miss.count, is_cached ? sent.answered : 0);
    const uint64_t computed = sent.answered - seen.cache_hit.count;
    for (const auto* each : {&seen.input_us, &seen.infer_us, &seen.output_us}) CHECK_EQ(each->total(), computed);
    if (!is_cached) CHECK_EQ(seen.inference_count, sent.rows);
    uint64_t failed = 0;
    for (const auto& [reason, count] : sent.failed) {
        CHECK_EQ(failures(seen, reason), count);
        failed += count;
    }
    CHECK_EQ(seen.fail.count, failed);
    CHECK_EQ(seen.pending, 0u);
}

/// @param seed  of the mix: requests of all kinds, cancels, reloads, turns
void try_mix(unsigned seed, unsigned compute_threads, uint64_t response_cache_bytes) {
    std::mt19937 random(seed);
    test::ScorerCore scorer(mixed_options(compute_threads, response_cache_bytes));
    test::InferCaller caller(scorer);
    FakeSessionControl::delay_us = compute_threads > 0 ? 50 : 0;
    for (int step = 0; step < 300; ++step) {
        const uint32_t choice = random() % 100;
        if (choice < 55) {
            caller.submit({1 + static_cast<uint32_t>(random() % 4), static_cast<int>(random() % 5)}, random() % 20 == 0 ? 1 : 0);
        } else if (choice < 65) {
            caller.submit({1, 0, 3});
        } else if (choice < 75) {
            caller.cancel_one();
        } else if (choice < 77) {
            FakeSessionControl::is_failing = false;  // whether it batches is found out by running it
            scorer.load();
        } else if (choice < 82) {
            FakeSessionControl::is_failing = random() % 2 == 0;
        } else {
            caller.flush();
        }
    }
    caller.finish();
    check_counts(scorer.statistics(), caller.sent(), response_cache_bytes > 0);
}

TEST("after any mix of answers, failures, cancels and reloads every counter says what was sent") {
    for (unsigned seed = 1; seed <= 8; ++seed) try_mix(seed, 0, 0);
}

TEST("the same where workers execute, and callers go while they do") {
    for (unsigned seed = 1; seed <= 8; ++seed) try_mix(seed, 2, 0);
}

TEST("the same with a response cache: each answer is a hit or a miss") {
    for (unsigned seed = 1; seed <= 8; ++seed) try_mix(seed, seed % 3, 10'000);
}

TEST("requests that wait are pending until they are executed") {
    test::ScorerCore scorer(mixed_options(0, 0));
    test::InferCaller caller(scorer);
    for (int i = 0; i < 3; ++i) caller.submit({1, i});
    CHECK_EQ(scorer.statistics().pending, 3u);
    caller.cancel_one();
    caller.finish();
    CHECK_EQ(scorer.statistics().pending, 0u);
}

TEST("a thread that leaves takes its open requests with it, and they were cancelled") {
    test::ScorerCore scorer(mixed_options(0, 0));
    {
        test::InferCaller caller(scorer);
        caller.submit({1, 0});
    }
    CHECK_EQ(failures(scorer.statistics(), FailureReason::kCanceled), 1u);
    CHECK_EQ(scorer.statistics().pending, 0u);
}

TEST("rows of one run are one execution, each request its own inference") {
    test::ScorerCore scorer(mixed_options(0, 0));
    test::InferCaller caller(scorer);
    for (int i = 0; i < 2; ++i) caller.submit({2, i});
    caller.finish();
    const Snapshot seen = scorer.statistics();
    CHECK_EQ(seen.inference_count, 4u);
    CHECK_EQ(seen.execution_count, 1u);
    CHECK(seen.batches.contains(4));
}

TEST("an unloaded version takes its statistics with it") {
    test::ScorerCore scorer(mixed_options(0, 0));
    test::InferCaller caller(scorer);
    caller.submit({1, 0});
    caller.finish();
    CHECK_EQ(scorer.statistics().request_us.total(), 1u);
    scorer.load();
    CHECK_EQ(scorer.statistics().request_us.total(), 1u);
    scorer.unload();
    scorer.load();
    CHECK_EQ(scorer.statistics().request_us.total(), 0u);
}

TEST("statistics that are switched off stay at zero") {
    InferenceStatistics statistics(false);
    statistics.record({.rows = 3, .times = {}});
    statistics.record_failure(FailureReason::kOther, 5);
    statistics.record_run(3, {});
    statistics.count_pending(1);
    const Snapshot seen = statistics.snapshot();
    CHECK_EQ(seen.request_us.total() + seen.fail.count + seen.execution_count + seen.pending + seen.last_inference_ms, 0u);
}

}  // namespace
}  // namespace rankd
