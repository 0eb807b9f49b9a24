#include "recorder.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "histogram.h"
#include "lateness.h"
#include "tests/test.h"

namespace rankd::load {
namespace {

Request measured(Nanos intended) {
    Request request;
    request.intended = intended;
    request.is_measured = true;
    request.attempts = 1;
    return request;
}

constexpr Outcome kGood{.is_ok = true};

TEST("percentiles are those of the sorted latencies, to three digits") {
    std::mt19937_64 random(3);
    std::lognormal_distribution<double> latency(11, 1.5);
    Histogram histogram;
    std::vector<Nanos> sorted;
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        sorted.push_back(static_cast<Nanos>(latency(random)));
        histogram.record(sorted.back());
        sum += static_cast<double>(sorted.back());
    }
    std::sort(sorted.begin(), sorted.end());
    for (const double percent : {0.001, 1.0, 50.0, 90.0, 99.0, 99.9, 99.999, 100.0}) {
        const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
        const auto exact = static_cast<double>(sorted[std::max<size_t>(rank, 1) - 1]);
        const auto found = static_cast<double>(histogram.percentile(percent));
        CHECK(found >= exact);
        CHECK_NEAR(found, exact, exact / 1000 + 1);
    }
    CHECK_EQ(histogram.min(), sorted.front());
    CHECK_EQ(histogram.max(), sorted.back());
    CHECK_NEAR(histogram.mean(), sum / 100'000, 1e-6 * sum);
}

TEST("the buckets hold every latency once, in order, and none lies above the maximum") {
    Histogram histogram;
    for (const Nanos latency : {0, 0, 5, 1'000, 1'001, 1'000'000, 1'000'300}) histogram.record(latency);
    uint64_t total = 0;
    Nanos previous = -1;
    histogram.for_each_bucket([&](Nanos top, uint64_t count) {
        CHECK(top > previous && top <= histogram.max());
        previous = top;
        total += count;
    });
    CHECK_EQ(total, uint64_t{7});
    CHECK_EQ(histogram.min(), Nanos{0});
    CHECK_EQ(previous, Nanos{1'000'300});
}

TEST("an empty or cleared histogram answers zero, and is as good as new") {
    Histogram histogram;
    for (int round = 0; round < 2; ++round) {
        CHECK_EQ(histogram.count(), uint64_t{0});
        CHECK_EQ(histogram.min(), Nanos{0});
        CHECK_EQ(histogram.percentile(99), Nanos{0});
        CHECK_EQ(histogram.mean(), 0.0);
        histogram.record(3 * kMillisecond);
        histogram.record(7);
        CHECK_EQ(histogram.percentile(50), Nanos{7});
        CHECK_EQ(histogram.percentile(100), 3 * kMillisecond);
        histogram.clear();
    }
}

TEST("latencies beyond an hour and below nothing are kept at the ends") {
    Histogram histogram;
    histogram.record(-5);
    histogram.record(7200 * kSecond);
    CHECK_EQ(histogram.min(), Nanos{0});
    CHECK_EQ(histogram.max(), 3600 * kSecond);
}

TEST("requests of the warm-up reach no count, however late they end") {
    Recorder recorder(100 * kMillisecond, 200 * kMillisecond, 50 * kMillisecond);
    Request warm = measured(50 * kMillisecond);
    warm.is_measured = false;
    recorder.count_intended(warm);
    recorder.count_sent(warm);
    recorder.count_finished(warm, kGood, 150 * kMillisecond);
    recorder.count_finished(warm, {.code = 16}, 150 * kMillisecond);
    CHECK_EQ(recorder.intended() + recorder.sent() + recorder.completed() + recorder.unanswered(), uint64_t{0});
    CHECK_EQ(recorder.histogram().count(), uint64_t{0});
    CHECK_EQ(recorder.errors()[16], uint64_t{0});
    CHECK_EQ(recorder.completed_within(), uint64_t{1});  // the server did that work in the measured part
}

TEST("the timeline sorts by the end of a request, keeps empty steps, and goes on while answers come") {
    Recorder recorder(0, 200, 100);
    const auto finish = [&](Nanos intended, Nanos now, const Outcome& outcome) {
        recorder.count_intended(measured(intended));
        recorder.count_finished(measured(intended), outcome, now);
    };
    finish(10, 30, kGood);
    finish(10, 99, kGood);
    finish(20, 320, {.code = kConnectionLost});
    recorder.close();
    CHECK_EQ(recorder.timeline().size(), size_t{4});
    CHECK_EQ(recorder.timeline()[0].completed, uint64_t{2});
    CHECK_EQ(recorder.timeline()[0].p50, Nanos{20});
    CHECK_EQ(recorder.timeline()[0].max, Nanos{89});
    CHECK_EQ(recorder.timeline()[1].completed, uint64_t{0});
    CHECK_EQ(recorder.timeline()[3].errors, uint64_t{1});
    CHECK_EQ(recorder.completed_within(), uint64_t{2});
}

TEST("a timeline covers the measured part even when nothing happened") {
    Recorder recorder(0, 250, 100);
    recorder.close();
    CHECK_EQ(recorder.timeline().size(), size_t{3});
}

TEST("what has neither an answer nor an error is unanswered, what never left included") {
    Recorder recorder(0, 100, 10);
    for (int i = 0; i < 5; ++i) recorder.count_intended(measured(i));
    recorder.count_finished(measured(0), kGood, 1);
    recorder.count_finished(measured(1), {.code = 19}, 1);
    CHECK_EQ(recorder.open(), uint64_t{3});
    recorder.count_never_sent(4);
    CHECK_EQ(recorder.open(), uint64_t{3});
    CHECK_EQ(recorder.intended(), uint64_t{9});
    CHECK_EQ(recorder.unanswered(), uint64_t{7});
    CHECK_EQ(recorder.missed(), uint64_t{4});
}

TEST("a send is missed when its turn ended over a millisecond after it was due") {
    Lateness lateness(4);
    for (const Nanos due : {0, 500'000, 1'000'000, 1'500'000}) lateness.add(due);
    CHECK_EQ(lateness.settle(1'500'001), uint64_t{2});
    CHECK_EQ(lateness.settle(9'000'000), uint64_t{0});
    lateness.add(0);
    CHECK_EQ(lateness.settle(Lateness::kLate), uint64_t{0});
}

TEST("what comes within the deadline is in time, and groups are counted apart") {
    Recorder recorder(0, kSecond, kSecond);
    recorder.set_deadline(50 * kMillisecond);
    recorder.tell_groups_apart(2);
    for (const auto& [group, latency] :
         {std::pair<uint8_t, Nanos>{0, 50 * kMillisecond}, {1, 51 * kMillisecond}, {1, kMillisecond}}) {
        Request request = measured(0);
        request.group = group;
        recorder.count_intended(request);
        recorder.count_finished(request, kGood, latency);
    }
    Request failed = measured(0);
    failed.group = 1;
    recorder.count_intended(failed);
    recorder.count_finished(failed, {.code = 3}, 5);
    CHECK_EQ(recorder.completed(), uint64_t{3});
    CHECK_EQ(recorder.in_time(), uint64_t{2});
    CHECK_EQ(recorder.groups()[0].completed, uint64_t{1});
    CHECK_EQ(recorder.groups()[1].intended, uint64_t{3});
    CHECK_EQ(recorder.groups()[1].failed, uint64_t{1});
    CHECK_EQ(recorder.groups()[1].histogram.max(), 51 * kMillisecond);
}

}  // namespace
}  // namespace rankd::load
