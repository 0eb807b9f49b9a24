// Counters: every value in its bucket, nothing lost however many threads count, readers never stop writers.
#include "engine/statistics.h"

#include <atomic>
#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "pipeline/stage_times.h"
#include "tests/test.h"

namespace rankd {
namespace {

using engine::DurationHistogram;
using engine::HistogramSnapshot;
using engine::kBatchScale;
using engine::kDurationScale;
using engine::OperationCounters;
using engine::RequestOutcome;
using pipeline::StageClock;
using pipeline::TimedStage;

/// The bucket as one would define it.
size_t obvious_bucket(std::span<const uint32_t> bounds, uint32_t value) {
    size_t bucket = 0;
    while (bucket < bounds.size() && value > bounds[bucket]) ++bucket;
    return bucket;
}

uint64_t total(const HistogramSnapshot& histogram) {
    uint64_t count = 0;
    for (const uint64_t bucket : histogram.counts) count += bucket;
    return count;
}

/// Runs `body` on so many threads, all of them alive at the same time.
void on_threads(size_t count, const std::function<void(size_t)>& body) {
    std::barrier all(static_cast<ptrdiff_t>(count));
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            all.arrive_and_wait();
            body(i);
            all.arrive_and_wait();
        });
    for (std::thread& thread : threads) thread.join();
}

RequestOutcome outcome(Code code, uint32_t total_us) {
    RequestOutcome one;
    one.code = code;
    one.rows = 3;
    one.timing = {total_us / 2, total_us / 4, total_us};
    return one;
}

TEST("every value falls into the first bucket whose bound is not below it") {
    std::mt19937 random(7);
    for (const engine::Scale* scale : {&kDurationScale, &kBatchScale}) {
        std::vector<uint32_t> values = {0, UINT32_MAX};
        for (const uint32_t bound : scale->bounds()) values.insert(values.end(), {bound - 1, bound, bound + 1});
        for (int i = 0; i < 10'000; ++i) values.push_back(static_cast<uint32_t>(random()) >> (random() % 32));
        for (const uint32_t value : values) CHECK_EQ(scale->bucket(value), obvious_bucket(scale->bounds(), value));
    }
}

TEST("durations have one set of buckets, from 1 µs to 10 s in steps of 1, 2, 5") {
    CHECK_EQ(kDurationScale.bounds().size(), 22u);
    CHECK_EQ(kDurationScale.bounds().front(), 1u);
    CHECK_EQ(kDurationScale.bounds().back(), 10'000'000u);
}

TEST("a histogram counts what a list of its values would tell") {
    std::mt19937 random(11);
    DurationHistogram histogram;
    std::vector<uint64_t> counts(kDurationScale.bounds().size() + 1, 0);
    uint64_t sum = 0;
    for (int i = 0; i < 1000; ++i) {
        const uint32_t value = static_cast<uint32_t>(random()) >> (random() % 32);
        histogram.add(value, i % 2 == 0);
        ++counts[obvious_bucket(kDurationScale.bounds(), value)];
        sum += value;
    }
    HistogramSnapshot snapshot(kDurationScale);
    histogram.add_to(snapshot);
    CHECK(snapshot.counts == counts);
    CHECK_EQ(snapshot.sum, sum);
}

TEST("what threads count adds up, and a reader sees no count fall") {
    constexpr size_t kThreads = 4, kRequests = 5000;
    OperationCounters counters;
    std::atomic<size_t> running{kThreads};
    std::thread reader([&] {
        uint64_t last = 0;
        while (running > 0) {
            const uint64_t seen = counters.snapshot().requests;
            CHECK(seen >= last && seen <= kThreads * kRequests);
            last = seen;
        }
    });
    on_threads(kThreads, [&](size_t thread) {
        for (size_t i = 0; i < kRequests; ++i)
            counters.record(outcome(i % 5 == 0 ? Code::NOT_FINITE : Code::OK, static_cast<uint32_t>(thread * 1000 + i)));
        counters.record_batch(64);
        --running;
    });
    reader.join();
    const auto seen = counters.snapshot();
    CHECK_EQ(seen.requests, kThreads * kRequests);
    CHECK_EQ(seen.rows, 3 * kThreads * kRequests);
    CHECK_EQ(seen.errors.at("NOT_FINITE"), kThreads * kRequests / 5);
    for (const auto* histogram : {&seen.request_us, &seen.queue_us, &seen.compute_us})
        CHECK_EQ(total(*histogram), kThreads * kRequests);
    CHECK_EQ(seen.batch_requests.sum, 64 * kThreads);
}

TEST("more threads than places lose nothing, they share the last place") {
    constexpr size_t kThreads = engine::kWriterPlaces + 20;
    engine::ErrorCounters errors;
    std::atomic<size_t> sharing{0};
    on_threads(kThreads, [&](size_t) {
        sharing += engine::writer_place() == engine::kSharedPlace;
        for (int i = 0; i < 100; ++i) errors.record(Code::CANCELLED);
    });
    CHECK(sharing >= 21);
    CHECK_EQ(errors.snapshot().at("CANCELLED"), kThreads * 100);
}

TEST("a place that its thread has left is taken again, with what was counted there") {
    engine::ErrorCounters errors;
    std::set<size_t> places;
    for (size_t i = 0; i < 2 * engine::kWriterPlaces; ++i)
        std::thread([&] {
            places.insert(engine::writer_place());
            errors.record(Code::DRAINING);
        }).join();
    CHECK(!places.contains(engine::kSharedPlace));
    CHECK_EQ(errors.snapshot().at("DRAINING"), 2 * engine::kWriterPlaces);
}

TEST("a gauge that one thread raises and another lowers shows what is left") {
    engine::Gauge gauge;
    gauge.add(5);
    std::thread([&] { gauge.add(-3); }).join();
    CHECK_EQ(gauge.value(), 2u);
    gauge.add(-4);
    CHECK_EQ(gauge.value(), 0u);
}

TEST("counters that are switched off stay at zero") {
    OperationCounters counters;
    counters.switch_off();
    counters.record(outcome(Code::INTERNAL, 5));
    counters.record_batch(4);
    pipeline::StageTimes times;
    times.ran = 0xFF;
    counters.record_stages(times);
    const auto seen = counters.snapshot();
    CHECK_EQ(seen.requests + seen.errors.size() + seen.stage_us.size() + total(seen.batch_requests), 0u);
}

TEST("a stopwatch gives each stage the time since the border before, and adds up what passes twice") {
    ManualClock clock;
    StageClock stages;
    stages.pass(TimedStage::kDecode);
    CHECK_EQ(stages.times().ran, 0);
    stages.start(clock, clock.now());
    clock.advance(3);
    stages.pass(TimedStage::kDecode);
    for (int i = 0; i < 2; ++i) {
        clock.advance(10);
        stages.pass(TimedStage::kScore);
    }
    stages.pass(TimedStage::kSelect);
    CHECK_EQ(stages.times().us[static_cast<size_t>(TimedStage::kDecode)], 3u);
    CHECK_EQ(stages.times().us[static_cast<size_t>(TimedStage::kScore)], 20u);
    CHECK(stages.times().has(static_cast<size_t>(TimedStage::kSelect)));
    CHECK(!stages.times().has(static_cast<size_t>(TimedStage::kEncode)));

    OperationCounters counters;
    counters.record_stages(stages.times());
    const auto seen = counters.snapshot().stage_us;
    CHECK_EQ(seen.size(), 3u);
    CHECK_EQ(seen.at("score").sum, 20u);
    CHECK_EQ(total(seen.at("select")), 1u);
}

}  // namespace
}  // namespace rankd
