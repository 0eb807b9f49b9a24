// Answers of `infer` from the response cache: the same bytes, computed once, by whichever thread came first.
#include "engine/infer_step.h"

#include <barrier>
#include <thread>

#include "tests/infer_caller.h"

namespace rankd {
namespace {

using engine::FailureReason;
using test::FakeSessionControl;
using test::InferCaller;
using test::ScorerCore;

engine::CoreOptions cached_options(uint32_t ttl_ms = 0, unsigned compute_threads = 0) {
    engine::CoreOptions options = test::fake_options(compute_threads);
    options.response_cache_bytes = 1 << 20;
    options.response_cache_ttl_ms = ttl_ms;
    return options;
}

/// A caller whose every request is a batch of its own.
struct OneByOne {
    explicit OneByOne(engine::CoreOptions options = cached_options()) : scorer(std::move(options)), caller(scorer) {}

    /// @return how many runs it took
    uint64_t ask(const test::Rows& rows) {
        const uint64_t before = FakeSessionControl::runs;
        caller.submit(rows);
        caller.finish();
        return FakeSessionControl::runs - before;
    }

    ScorerCore scorer;
    InferCaller caller;
};

TEST("what was asked before is answered without a run, with the same bytes") {
    OneByOne with;
    CHECK_EQ(with.ask({2, 7}), 1u);
    CHECK_EQ(with.ask({2, 7}), 0u);
    CHECK_EQ(with.ask({2, 8}), 1u);
    CHECK_EQ(with.ask({1, 7}), 1u);
    CHECK_EQ(with.caller.sent().answered, 4u);
    CHECK_EQ(with.caller.sent().answers.size(), 3u);
    const auto seen = with.scorer.statistics();
    CHECK_EQ(seen.cache_hit.count, 1u);
    CHECK_EQ(seen.cache_miss.count, 3u);
    CHECK_EQ(seen.inference_count, 5u);
    CHECK_EQ(seen.execution_count, 3u);
    CHECK_EQ(with.scorer.core().stats().response_cache->entries, 3u);
}

TEST("the same request several times in one batch is computed once") {
    OneByOne with;
    for (int i = 0; i < 5; ++i) with.caller.submit({2, 7});
    with.caller.finish();
    CHECK_EQ(with.caller.sent().answered, 5u);
    CHECK_EQ(with.caller.sent().answers.size(), 1u);
    const auto seen = with.scorer.statistics();
    CHECK_EQ(seen.execution_count, 1u);
    CHECK_EQ(seen.inference_count, 2u);
    CHECK_EQ(seen.cache_hit.count, 4u);
}

TEST("an error is not kept: the next to ask computes") {
    OneByOne with;
    FakeSessionControl::is_failing = true;
    with.ask({1, 7});
    FakeSessionControl::is_failing = false;
    CHECK_EQ(with.caller.sent().failed.at(FailureReason::kBackend), 1u);
    CHECK_EQ(with.ask({1, 7}), 1u);
    CHECK_EQ(with.ask({1, 7}), 0u);
    with.ask({1, 0, 3});
    with.ask({1, 0, 3});
    CHECK_EQ(with.caller.sent().failed.at(FailureReason::kOther), 2u);
}

TEST("duplicates of a request that fails fail each for itself") {
    OneByOne with;
    FakeSessionControl::is_failing = true;
    for (int i = 0; i < 3; ++i) with.caller.submit({1, 7});
    with.caller.finish();
    CHECK_EQ(with.caller.sent().failed.at(FailureReason::kBackend), 3u);
    CHECK_EQ(with.scorer.core().stats().response_cache->entries, 0u);
}

TEST("a model that is loaded anew knows nothing of the answers before, which have gone with the old one") {
    OneByOne with;
    with.ask({1, 7});
    with.scorer.load();
    CHECK_EQ(with.ask({1, 7}), 1u);
    with.scorer.unload();
    while (with.scorer.core().stats().response_cache->entries > 0) std::this_thread::yield();
}

TEST("without room there is no cache, whatever the manifest says") {
    OneByOne with(test::fake_options(0));
    CHECK_EQ(with.ask({1, 7}), 1u);
    CHECK_EQ(with.ask({1, 7}), 1u);
    CHECK(!with.scorer.core().stats().response_cache.has_value());
    CHECK_EQ(with.scorer.statistics().cache_miss.count, 0u);
}

TEST("threads that ask the same at once wait for the one that computes") {
    constexpr int kThreads = 6, kRounds = 20;
    ScorerCore scorer(cached_options());
    FakeSessionControl::delay_us = 500;
    std::barrier together(kThreads);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            InferCaller caller(scorer);
            for (int round = 0; round < kRounds; ++round) {
                together.arrive_and_wait();
                caller.submit({1, round});
                caller.finish();
            }
            CHECK_EQ(caller.sent().answered, static_cast<uint64_t>(kRounds));
            CHECK_EQ(caller.sent().answers.size(), static_cast<size_t>(kRounds));
        });
    for (std::thread& thread : threads) thread.join();
    const auto seen = scorer.statistics();
    CHECK_EQ(seen.execution_count, static_cast<uint64_t>(kRounds));
    CHECK_EQ(seen.cache_hit.count, static_cast<uint64_t>(kRounds * (kThreads - 1)));
}

TEST("threads that wait for one that fails compute for themselves") {
    constexpr int kThreads = 4;
    ScorerCore scorer(cached_options());
    FakeSessionControl::delay_us = 500;
    FakeSessionControl::is_failing = true;
    std::barrier together(kThreads);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            InferCaller caller(scorer);
            together.arrive_and_wait();
            caller.submit({1, 1});
            caller.finish();
            CHECK_EQ(caller.sent().failed.at(FailureReason::kBackend), 1u);
        });
    for (std::thread& thread : threads) thread.join();
    FakeSessionControl::is_failing = false;
    InferCaller after(scorer);
    after.submit({1, 1});
    after.finish();
    CHECK_EQ(after.sent().answered, 1u);
}

}  // namespace
}  // namespace rankd
