#include "schedule.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "recording.h"
#include "tests/temporary_folder.h"
#include "tests/test.h"

namespace rankd::load {
namespace {

constexpr uint32_t kCorpus = 3;

Spec open_spec(std::vector<Step> profile, bool is_poisson = false) {
    Spec spec;
    spec.mode = Mode::kOpen;
    spec.profile = std::move(profile);
    spec.is_poisson = is_poisson;
    spec.warmup_seconds = 0;
    return spec;
}

std::vector<Arrival> all_of(Schedule& schedule) {
    std::vector<Arrival> arrivals;
    for (Arrival arrival; schedule.next(arrival);) arrivals.push_back(arrival);
    return arrivals;
}

std::vector<Arrival> all_of(const Spec& spec) {
    OpenSchedule schedule(spec, kCorpus);
    return all_of(schedule);
}

bool is_in_order(const std::vector<Arrival>& arrivals) {
    return std::is_sorted(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
}

TEST("constant arrivals are exact multiples of the gap, over an hour too") {
    const auto arrivals = all_of(open_spec({{3600, 7}}));
    CHECK_EQ(arrivals.size(), size_t{25'200});
    CHECK_EQ(arrivals[0].at, Nanos{0});
    CHECK_EQ(arrivals[7].at, kSecond);
    CHECK_EQ(arrivals[25'193].at, 3599 * kSecond);
}

TEST("places in the corpus go round") {
    const auto arrivals = all_of(open_spec({{1, 7}}));
    for (size_t i = 0; i < arrivals.size(); ++i) CHECK_EQ(arrivals[i].place, static_cast<uint32_t>(i % kCorpus));
}

TEST("steps follow each other at their own rates") {
    const auto arrivals = all_of(open_spec({{1, 10}, {2, 100}, {1, 5}}));
    CHECK_EQ(arrivals.size(), size_t{10 + 200 + 5});
    CHECK_EQ(arrivals[10].at, kSecond);
    CHECK_EQ(arrivals[11].at, kSecond + 10 * kMillisecond);
    CHECK_EQ(arrivals[210].at, 3 * kSecond);
    CHECK(is_in_order(arrivals));
}

TEST("the warm-up runs at the first rate, is not measured, and the corpus starts anew behind it") {
    Spec spec = open_spec({{1, 10}});
    spec.warmup_seconds = 0.5;
    OpenSchedule schedule(spec, kCorpus);
    CHECK_EQ(schedule.end(), kSecond + 500 * kMillisecond);
    const auto arrivals = all_of(schedule);
    CHECK_EQ(arrivals.size(), size_t{15});
    for (size_t i = 0; i < arrivals.size(); ++i) CHECK_EQ(arrivals[i].is_measured, i >= 5);
    CHECK_EQ(arrivals[4].place, 1u);
    CHECK_EQ(arrivals[5].place, 0u);
    CHECK_EQ(arrivals[5].at, 500 * kMillisecond);
}

TEST("Poisson arrivals have the mean and the spread of an exponential distribution") {
    const auto arrivals = all_of(open_spec({{100, 1000}}, true));
    CHECK_NEAR(static_cast<double>(arrivals.size()), 1e5, 5 * std::sqrt(1e5));
    CHECK(is_in_order(arrivals));
    double sum = 0, squares = 0;
    for (size_t i = 1; i < arrivals.size(); ++i) {
        const double gap = static_cast<double>(arrivals[i].at - arrivals[i - 1].at) / 1e6;
        sum += gap;
        squares += gap * gap;
    }
    const double count = static_cast<double>(arrivals.size() - 1), mean = sum / count;
    CHECK_NEAR(mean, 1.0, 0.02);
    CHECK_NEAR(squares / count - mean * mean, 1.0, 0.05);
}

TEST("the same seed gives the same arrivals, another seed others") {
    Spec spec = open_spec({{1, 1000}}, true);
    const auto first = all_of(spec), second = all_of(spec);
    spec.seed = 2;
    const auto third = all_of(spec);
    CHECK_EQ(first.size(), second.size());
    for (size_t i = 0; i < first.size(); ++i) CHECK_EQ(first[i].at, second[i].at);
    CHECK(first[0].at != third[0].at);
}

TEST("bursts come on top of the profile, all at once, and not in the warm-up") {
    Spec spec = open_spec({{1, 10}});
    spec.warmup_seconds = 1;
    spec.burst = {.every_ms = 250, .requests = 4};
    const auto arrivals = all_of(spec);
    CHECK_EQ(arrivals.size(), size_t{10 + 10 + 3 * 4});
    CHECK(is_in_order(arrivals));
    for (const Nanos at : {1250, 1500, 1750}) {
        const auto is_then = [at](const Arrival& arrival) { return arrival.at == at * kMillisecond; };
        CHECK_EQ(std::count_if(arrivals.begin(), arrivals.end(), is_then), at == 1500 ? 5 : 4);
    }
}

TEST("a recording is replayed with its times and places, behind a warm-up at its mean rate") {
    const test::TemporaryFolder folder;
    const std::string path = folder.path() / "run.bin";
    CHECK_OK(write_recording(path, {{0, 2}, {5, 0}, {kSecond, 1}}, 2 * kSecond));
    auto recording = Recording::open(path, kCorpus);
    CHECK_OK(recording);
    Spec spec;
    spec.mode = Mode::kReplay;
    spec.warmup_seconds = 1;
    ReplaySchedule schedule(spec, std::move(recording).value(), kCorpus);
    CHECK_EQ(schedule.end(), 3 * kSecond);
    const auto arrivals = all_of(schedule);
    CHECK_EQ(arrivals.size(), size_t{3 + 3});
    CHECK(!arrivals[2].is_measured);
    CHECK_EQ(arrivals[3].at, kSecond);
    CHECK_EQ(arrivals[3].place, 2u);
    CHECK_EQ(arrivals[4].at, kSecond + 5);
    CHECK_EQ(arrivals[5].at, 2 * kSecond);
    CHECK_EQ(arrivals[5].place, 1u);
}

}  // namespace
}  // namespace rankd::load
