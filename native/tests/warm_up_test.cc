// What is recorded of the requests that come, and what a new version is warmed with.
#include "engine/warm_up.h"

#include <set>
#include <string_view>
#include <thread>

#include "engine/golden.h"
#include "tests/test.h"
#include "tests/versioned_fixture.h"

namespace rankd {
namespace {

using engine::Executor;
using engine::GoldenFile;
using engine::Job;
using engine::RequestSample;
using engine::WarmUp;
using test::FakeSessionControl;
using wire::Operation;

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// A job without padding: a recording reads no more than the body.
Job job_of(std::string_view body) {
    Job job;
    job.codec = wire::Codec::kJson;
    job.body = bytes_of(body);
    return job;
}

TEST("the first requests are recorded, later one in 256 takes the place of the oldest") {
    RequestSample sample;
    const auto texts = [&] {
        std::set<std::string> recorded;
        for (const auto& one : sample.recorded()) recorded.emplace(one.body().begin(), one.body().end());
        return recorded;
    };
    CHECK_EQ(sample.largest_batch(), 0u);
    for (uint32_t i = 0; i < RequestSample::kPlaces; ++i) {
        const std::string body = std::to_string(i);
        const Job job = job_of(body);
        sample.offer({&job, 1});
    }
    CHECK_EQ(texts().size(), RequestSample::kPlaces);
    const std::vector<Job> batch(100, job_of("later"));
    sample.offer(batch);
    CHECK(!texts().contains("later"));
    sample.offer(batch);
    sample.offer(batch);
    CHECK(texts().contains("later"));
    CHECK(!texts().contains("0"));
    CHECK_EQ(texts().size(), RequestSample::kPlaces);
    CHECK_EQ(sample.largest_batch(), 100u);
}

TEST("a body too long to keep is not recorded") {
    RequestSample sample;
    const std::string body(RequestSample::kMostBytes + 1, ' ');
    const Job job = job_of(body);
    sample.offer({&job, 1});
    CHECK(sample.recorded().empty());
}

TEST("threads record at once, and what is read is never half of one and half of another") {
    RequestSample sample;
    std::vector<std::thread> threads;
    for (char letter = 'a'; letter < 'd'; ++letter)
        threads.emplace_back([&, letter] {
            const std::string body(1000, letter);
            const std::vector<Job> jobs(256, job_of(body));
            for (int i = 0; i < 200; ++i) sample.offer(jobs);
        });
    for (int i = 0; i < 50; ++i)
        for (const auto& one : sample.recorded()) CHECK_EQ(std::set<uint8_t>(one.body().begin(), one.body().end()).size(), 1u);
    for (std::thread& thread : threads) thread.join();
    CHECK_EQ(sample.recorded().size(), RequestSample::kPlaces);
}

/// `tiny` as it serves, and once more as it is being loaded.
struct TwoVersions {
    test::TemporaryFolder folder;
    std::shared_ptr<engine::Model> serving = test::open_versioned(folder, "1.0.0");
    std::shared_ptr<engine::Model> next = test::open_versioned(folder, "1.1.0");
    Executor executor{wire::Limits{}, SteadyClock::instance()};
};

TEST("a version is warmed with golden and with recorded requests, up to the largest batch that was seen") {
    TwoVersions two;
    const std::vector<Job> batch(24, job_of(R"({"user": "user-1", "k": 3})"));
    two.serving->sample(Operation::kRecommend).offer(batch);
    WarmUp warm_up;
    const auto golden = GoldenFile::open(two.next->bundle());
    CHECK_OK(golden);
    warm_up.add(*golden);
    warm_up.add(*two.serving);
    const uint64_t runs_before = FakeSessionControl::runs;
    const auto report = warm_up.run(*two.next, two.executor, SteadyClock::instance());
    // Each alone, then 2 + 4 + 8 + 16 + 24 of recommend, and 2 + 4 + 8 + 16 of each other operation.
    std::set<Operation> operations;
    for (const auto& request : golden->requests()) operations.insert(request.operation);
    const size_t others = operations.size() - operations.contains(Operation::kRecommend);
    CHECK_EQ(report.requests, golden->requests().size() + 1 + 54 + 30 * others);
    CHECK_EQ(report.failed, 0u);
    CHECK(FakeSessionControl::runs > runs_before);
    CHECK_EQ(two.next->counters(Operation::kRecommend).snapshot().requests, 0u);
}

TEST("recorded requests that the new version refuses are counted, and no fault of it") {
    TwoVersions two;
    const Job job = job_of(R"({"item": "an item that was"})");
    two.serving->sample(Operation::kSimilar).offer({&job, 1});
    WarmUp warm_up;
    warm_up.add(*two.serving);
    const auto report = warm_up.run(*two.next, two.executor, SteadyClock::instance());
    CHECK_EQ(report.requests, 1u);
    CHECK_EQ(report.failed, 1u);
}

TEST("warming ends when its time is over") {
    TwoVersions two;
    const std::vector<Job> batch(200, job_of(R"({"user": "user-1"})"));
    two.serving->sample(Operation::kRecommend).offer(batch);
    WarmUp warm_up;
    warm_up.add(*two.serving);
    /// A clock that shows another second whenever it is looked at.
    class Hurried final : public Clock {
      public:
        Micros now() const override { return now_ += 1'000'000; }

      private:
        mutable Micros now_ = 0;
    } clock;
    CHECK_EQ(warm_up.run(*two.next, two.executor, clock).requests, 1u);
}

TEST("with nothing to replay nothing is replayed") {
    TwoVersions two;
    CHECK_EQ(WarmUp().run(*two.next, two.executor, SteadyClock::instance()).requests, 0u);
}

}  // namespace
}  // namespace rankd
