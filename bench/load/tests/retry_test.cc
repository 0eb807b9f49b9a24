#include "retry.h"

#include "base/status.h"
#include "requests.h"
#include "tests/test.h"

namespace rankd::load {
namespace {

constexpr auto kOverloaded = static_cast<uint16_t>(Code::OVERLOADED);

TEST("only what a server or the way to it may get over is tried again") {
    const auto rpc = [](Code code) { return is_retryable(Transport::kRpc, {.code = static_cast<uint16_t>(code)}); };
    CHECK(rpc(Code::OVERLOADED) && rpc(Code::DRAINING));
    CHECK(!rpc(Code::INVALID_BODY) && !rpc(Code::DEADLINE_EXCEEDED) && !rpc(Code::OK));
    const auto http = [](uint16_t status) { return is_retryable(Transport::kHttp, {.code = status}); };
    CHECK(http(429) && http(503) && !http(500) && !http(404) && !http(kOverloaded));
    CHECK(http(kConnectionLost) && is_retryable(Transport::kRpc, {.code = kConnectionLost}));
    CHECK(!http(kProtocol));
}

TEST("by default nothing is tried again") {
    Retries retries({}, Transport::kRpc, 1);
    retries.sent();
    CHECK(!retries.wait_before_next({.code = kOverloaded}, 1));
}

TEST("the budget bounds retries per request sent, the attempts bound each request") {
    Retries retries({.max_attempts = 3, .budget = 0.1, .backoff_ms = 1}, Transport::kRpc, 1);
    for (int i = 0; i < 50; ++i) retries.sent();
    CHECK(!retries.wait_before_next({.code = kOverloaded}, 3));
    int granted = 0;
    for (int i = 0; i < 50; ++i) granted += retries.wait_before_next({.code = kOverloaded}, 1).has_value();
    CHECK_EQ(granted, 5);
    for (int i = 0; i < 10; ++i) retries.sent();
    CHECK(retries.wait_before_next({.code = kOverloaded}, 2).has_value());
    CHECK(!retries.wait_before_next({.code = kOverloaded}, 2).has_value());
}

TEST("nothing is tried again behind its deadline, and what is not tried costs no budget") {
    Retries retries({.max_attempts = 2, .budget = 1, .backoff_ms = 1}, Transport::kRpc, 1);
    retries.sent();
    const Outcome later{.code = kOverloaded, .retry_after_ms = 20};
    CHECK(!retries.wait_before_next(later, 1, 20 * kMillisecond));
    CHECK(!retries.wait_before_next(later, 1, -1));
    CHECK(retries.wait_before_next(later, 1, 21 * kMillisecond).has_value());
    CHECK(!retries.wait_before_next(later, 1, 21 * kMillisecond).has_value());
}

TEST("the server's advice is followed, else the wait is drawn from a range that doubles") {
    Retries retries({.max_attempts = 16, .budget = 16, .backoff_ms = 10}, Transport::kRpc, 1);
    for (int i = 0; i < 1'000; ++i) retries.sent();
    CHECK_EQ(*retries.wait_before_next({.code = kOverloaded, .retry_after_ms = 70}, 1), 70 * kMillisecond);
    for (uint32_t attempts = 1; attempts <= 4; ++attempts) {
        const Nanos longest = (10 << (attempts - 1)) * kMillisecond;
        Nanos largest = 0;
        for (int i = 0; i < 500; ++i) {
            const Nanos wait = *retries.wait_before_next({.code = kOverloaded}, attempts);
            CHECK(wait >= 0 && wait < longest);
            largest = std::max(largest, wait);
        }
        CHECK(largest > longest * 9 / 10);
    }
}

TEST("waiting requests come out in the order in which they are due") {
    Retries retries({}, Transport::kRpc, 1);
    retries.schedule(1, 30);
    retries.schedule(2, 10);
    retries.schedule(3, 20);
    CHECK_EQ(retries.next_due(), Nanos{10});
    CHECK_EQ(retries.pop(), 2u);
    CHECK_EQ(retries.pop(), 3u);
    CHECK_EQ(retries.pop(), 1u);
    CHECK(retries.is_empty());
}

TEST("an id finds its request only while that is open, and no later one in its slot") {
    Requests requests;
    const uint32_t slot = requests.acquire();
    const uint32_t id = requests.id_of(slot);
    CHECK_EQ(requests.find(id), kNoRequest);  // not sent yet
    requests[slot].is_open = true;
    CHECK_EQ(requests.find(id), slot);
    CHECK_EQ(requests.find(id + (uint64_t{1} << 32)), kNoRequest);
    CHECK_EQ(requests.find(12'345), kNoRequest);
    requests.release(slot);
    CHECK_EQ(requests.acquire(), slot);
    requests[slot].is_open = true;
    CHECK_EQ(requests.find(id), kNoRequest);
}

TEST("requests can be taken from anywhere in a list") {
    Requests requests;
    RequestList list;
    uint32_t slots[3];
    for (uint32_t& slot : slots) requests.push_back(list, slot = requests.acquire());
    requests.remove(list, slots[1]);
    CHECK_EQ(list.size, 2u);
    CHECK_EQ(requests.pop_front(list), slots[0]);
    CHECK_EQ(requests.pop_front(list), slots[2]);
    CHECK_EQ(requests.pop_front(list), kNoRequest);
    CHECK(list.is_empty());
}

}  // namespace
}  // namespace rankd::load
