// The log of requests: exactly the slowest are kept, windows turn, traces are told once, and nobody waits for anybody.
#include "engine/request_log.h"

#include <atomic>
#include <random>
#include <thread>

#include "tests/test.h"

namespace rankd {
namespace {

using engine::LoggedRequest;
using engine::RequestLog;

constexpr Micros kWindow = RequestLog::kWindowUs;

LoggedRequest request(uint32_t total_us, Micros at, bool is_sampled = false) {
    LoggedRequest one;
    one.request_id = LoggedRequest::text_of(wire::Id::of(uint64_t{total_us}));
    one.total_us = total_us;
    one.at = at;
    one.trace.is_sampled = is_sampled;
    return one;
}

/// As the request path does it.
void offer(RequestLog& log, const LoggedRequest& one) {
    if (log.wants(one.total_us, one.at, one.trace.is_sampled)) log.add(one);
}

std::vector<uint32_t> totals(const std::vector<LoggedRequest>& requests) {
    std::vector<uint32_t> all;
    for (const LoggedRequest& one : requests) all.push_back(one.total_us);
    return all;
}

std::vector<uint32_t> slowest_of(std::vector<uint32_t> all) {
    std::sort(all.begin(), all.end(), std::greater<>());
    all.resize(std::min(all.size(), RequestLog::kSlowest));
    return all;
}

TEST("the slowest of a window are kept, whatever the order they come in") {
    std::mt19937 random(3);
    for (const size_t count : {0, 5, 32, 33, 1000}) {
        RequestLog log;
        std::vector<uint32_t> all;
        for (size_t i = 0; i < count; ++i) {
            all.push_back(1 + static_cast<uint32_t>(random() % 500));
            offer(log, request(all.back(), kWindow + static_cast<Micros>(i)));
        }
        CHECK(totals(log.slowest(kWindow + 2000)) == slowest_of(all));
    }
}

TEST("once the places are full, what is quicker is not wanted") {
    RequestLog log;
    for (uint32_t i = 1; i <= RequestLog::kSlowest; ++i) offer(log, request(100 + i, kWindow));
    CHECK(!log.wants(100, kWindow, false));
    CHECK(!log.wants(101, kWindow, false));
    CHECK(log.wants(102, kWindow, false));
    CHECK(log.wants(1, kWindow, true));
    CHECK(log.wants(1, 2 * kWindow, false));
}

TEST("after a turn the window before is still told, after two it is gone") {
    RequestLog log;
    offer(log, request(900, kWindow));
    offer(log, request(20, 2 * kWindow));
    CHECK(totals(log.slowest(2 * kWindow)) == std::vector<uint32_t>({900, 20}));
    CHECK(totals(log.slowest(3 * kWindow)) == std::vector<uint32_t>({20}));
    CHECK(log.slowest(4 * kWindow).empty());
    CHECK_EQ(RequestLog::since(2 * kWindow + 5), kWindow);
}

TEST("a silence of many windows leaves nothing old behind") {
    RequestLog log;
    offer(log, request(900, kWindow));
    offer(log, request(20, 50 * kWindow));
    CHECK(totals(log.slowest(50 * kWindow)) == std::vector<uint32_t>({20}));
}

TEST("traces are told once, in the order of their answers, and those without a place are counted") {
    RequestLog log;
    for (uint32_t i = 0; i < RequestLog::kTraces + 3; ++i) offer(log, request(1, kWindow + i, true));
    offer(log, request(1, kWindow, false));
    const auto traces = log.take_traces();
    CHECK_EQ(traces.size(), RequestLog::kTraces);
    CHECK(std::is_sorted(traces.begin(), traces.end(), [](const auto& a, const auto& b) { return a.at < b.at; }));
    CHECK_EQ(log.dropped_traces(), 3u);
    CHECK(log.take_traces().empty());
    offer(log, request(1, kWindow, true));
    CHECK_EQ(log.take_traces().size(), 1u);
}

TEST("a log that is off wants nothing and keeps nothing") {
    RequestLog log(false);
    CHECK(!log.wants(UINT32_MAX, kWindow, true));
    log.add(request(5, kWindow, true));
    CHECK(log.slowest(kWindow).empty());
    CHECK(log.take_traces().empty());
}

TEST("ids of any kind are told as text, cut where they are too long") {
    const auto told = [](const wire::Id& id) { return std::string(LoggedRequest::text_of(id).view()); };
    CHECK_EQ(told({}), "");
    CHECK_EQ(told(wire::Id::of(UINT64_MAX)), "18446744073709551615");
    CHECK_EQ(told(wire::Id::of(std::string_view("a-1"))), "a-1");
    const engine::ShortText<4> cut("longer");
    CHECK_EQ(cut.view(), "long");
}

TEST("threads keep and readers read at the same time; each trace is told or counted as dropped") {
    constexpr size_t kThreads = 3, kRequests = 4000;
    RequestLog log;
    std::atomic<size_t> running{kThreads};
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
            for (uint32_t i = 0; i < kRequests; ++i)
                offer(log, request(static_cast<uint32_t>(thread * kRequests) + i, kWindow + i, i % 4 == 0));
            --running;
        });
    size_t told = 0;
    while (running > 0) {
        told += log.take_traces().size();
        CHECK(log.slowest(kWindow).size() <= RequestLog::kSlowest);
    }
    for (std::thread& thread : threads) thread.join();
    told += log.take_traces().size();
    CHECK_EQ(told + log.dropped_traces(), kThreads * kRequests / 4);
    offer(log, request(UINT32_MAX, kWindow));
    CHECK_EQ(log.slowest(kWindow)[0].total_us, UINT32_MAX);
}

}  // namespace
}  // namespace rankd
