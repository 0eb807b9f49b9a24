// What is learnt: costs, the rate of a queue, and bounds that keep a promise.
#include <cmath>
#include <random>

#include "engine/admission.h"
#include "engine/cost_model.h"
#include "engine/pace.h"
#include "tests/test.h"

namespace rankd {
namespace {

using engine::Admission;
using engine::CostModel;
using engine::Pace;

bool is_near(double actual, double expected, double share) {
    return std::abs(actual - expected) <= share * expected;
}

TEST("the cost of a batch is known by its size, what it costs at all included") {
    CostModel cost;
    CHECK_EQ(cost.estimate_us(5), 0.0);
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        const double rows = 1 + random() % 4000;
        cost.learn(rows, 40 + 2 * rows);
    }
    for (const double rows : {24.0, 100.0, 1500.0, 3500.0}) CHECK(is_near(cost.estimate_us(rows), 40 + 2 * rows, 0.15));
    CHECK(is_near(cost.units_within(1000), 480, 0.15));
}

TEST("sizes between two that were seen are judged by both") {
    CostModel cost;
    for (int i = 0; i < 20; ++i)
        for (const double rows : {2.0, 30'000.0}) cost.learn(rows, 100 + 0.05 * rows);
    CHECK(cost.estimate_us(1000) > 100 && cost.estimate_us(1000) < 300);  // the price of the small size would say 50,000
    CHECK(is_near(cost.units_within(250), 3000, 0.6));
}

TEST("a model that doubled is known within a dozen batches, at sizes that were not seen since as well") {
    CostModel cost;
    for (int i = 0; i < 200; ++i)
        for (const double rows : {10.0, 1000.0}) cost.learn(rows, 3 * rows);
    for (int i = 0; i < 12; ++i) cost.learn(10, 60);
    CHECK(is_near(cost.estimate_us(10), 60, 0.2));
    CHECK(is_near(cost.estimate_us(1000), 6000, 0.4));
}

TEST("one interrupted batch is not believed, two are") {
    CostModel cost;
    for (int i = 0; i < 50; ++i) cost.learn(8, 80);
    cost.learn(8, 80'000);
    CHECK(cost.estimate_us(8) < 160);
    cost.learn(8, 80'000);
    CHECK(cost.estimate_us(8) > 1000);
}

TEST("rows are estimated from bytes, for each codec alone") {
    CostModel cost;
    CHECK_EQ(cost.units_of(wire::Codec::kJson, 5000), 1.0);
    cost.learn_size(wire::Codec::kMsgpack, 100, 500);
    cost.learn_size(wire::Codec::kJson, 100, 900);
    CHECK(is_near(cost.units_of(wire::Codec::kMsgpack, 5000), 1000, 0.01));
    CHECK(is_near(cost.units_of(wire::Codec::kJson, 9000), 1000, 0.01));
}

TEST("the wait follows how fast the queue was worked off") {
    Admission admission;
    CHECK_EQ(admission.wait_us(5000), 5000.0);
    for (int i = 0; i < 100; ++i) admission.learn(500, 1000);  // half of the time went elsewhere
    CHECK(is_near(admission.wait_us(5000), 10'000, 0.05));
    for (int i = 0; i < 100; ++i) admission.learn(4000, 1000);  // batches, or workers that help
    CHECK(is_near(admission.wait_us(5000), 1250, 0.05));
}

TEST("a refusal says when to come back") {
    const Status status = engine::overloaded(34'000, 20'000);
    CHECK_EQ(code_name(status.code()), "OVERLOADED");
    CHECK_EQ(status.retry_after_ms(), 15u);
    CHECK(status.message().find("wait about 34 ms and may wait 20 ms; try again in 15 ms") != std::string::npos);
}

/// A server whose answers take as long as they were allowed to wait, plus their batch: the bounds are all that holds it back.
double settle(Pace& pace, Micros& now, double cost_factor, int windows) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> share(0.2, 1.0);
    for (int window = 0; window < windows; ++window) {
        for (int i = 0; i < 400; ++i) {
            pace.was_cut();
            pace.record(share(random) * (pace.wait_us() + pace.batch_us()) * cost_factor, now);
        }
        now += 260'000;
    }
    return (pace.wait_us() + pace.batch_us()) * cost_factor;
}

TEST("with a promise the bounds settle below it, and again within 5 s when everything takes twice as long") {
    Pace pace;
    Micros now = 1;
    pace.set({.slo_p99_ms = 20});
    constexpr double kPromisedUs = 20'000;
    const double before = settle(pace, now, 1.0, 80);
    CHECK(before < kPromisedUs * 1.05);
    CHECK(before > kPromisedUs * 0.6);  // and no further below than it must
    const double after = settle(pace, now, 2.0, 20);
    CHECK(after < kPromisedUs * 1.05);
    CHECK(after > kPromisedUs * 0.6);
}

TEST("bounds set by hand stay; without any, nothing holds a request back but its deadline") {
    Pace pace;
    Micros now = 1;
    CHECK(pace.wait_us() > 1e12);
    pace.set({.slo_p99_ms = 20, .max_batch_rows = 64, .max_batch_us = 700, .max_wait_ms = 15});
    settle(pace, now, 3.0, 40);
    CHECK_EQ(pace.batch_us(), 700.0);
    CHECK_EQ(pace.wait_us(), 15'000.0);
    CHECK_EQ(pace.max_rows(), 64.0);
}

TEST("a new version begins with the costs and the bounds of the one it replaces, and said again they stay") {
    CostModel known, fresh;
    for (int i = 0; i < 100; ++i) {
        known.learn(10, 300);
        known.learn_size(wire::Codec::kJson, 10, 500);
    }
    fresh.adopt(known);
    CHECK_EQ(fresh.estimate_us(10), known.estimate_us(10));
    CHECK_EQ(fresh.units_of(wire::Codec::kJson, 5000), known.units_of(wire::Codec::kJson, 5000));
    Pace settled, next;
    Micros now = 1;
    settled.set({.slo_p99_ms = 20});
    settle(settled, now, 3.0, 40);
    next.adopt(settled);
    next.set({.slo_p99_ms = 20});
    CHECK_EQ(next.batch_us(), settled.batch_us());
    CHECK_EQ(next.wait_us(), settled.wait_us());
}

}  // namespace
}  // namespace rankd
