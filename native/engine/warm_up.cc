#include "engine/warm_up.h"

#include <algorithm>

namespace rankd::engine {
namespace {

/// For an operation that nobody has asked for yet; the batches of a quiet server are small.
constexpr size_t kUsualBatch = 16;
constexpr size_t kMostBatch = 256;

/// Jobs in a circle, so that a batch can be larger than what there is to replay.
class Circle {
  public:
    explicit Circle(std::span<const Job> jobs) : jobs_(jobs) {}

    std::span<const Job> next(size_t count) {
        taken_.clear();
        for (size_t i = 0; i < count; ++i) taken_.push_back(jobs_[at_++ % jobs_.size()]);
        return taken_;
    }

  private:
    std::span<const Job> jobs_;
    std::vector<Job> taken_;
    size_t at_ = 0;
};

}  // namespace

void WarmUp::add(const GoldenFile& golden) {
    for (const GoldenRequest& request : golden.requests()) {
        Job job;
        job.body = request.body;
        replays_[request.operation].jobs.push_back(job);
    }
}

void WarmUp::add(const Model& serving) {
    for (const wire::Operation operation : serving.bundle().operations()) {
        const RequestSample& sample = serving.sample(operation);
        if (sample.largest_batch() == 0) continue;
        Replay& replay = replays_[operation];
        replay.largest_batch = std::max(replay.largest_batch, sample.largest_batch());
        for (RecordedBody& recorded : sample.recorded()) add(operation, std::move(recorded));
    }
}

void WarmUp::add(wire::Operation operation, RecordedBody body) {
    Job job;
    job.codec = body.codec;
    job.json_bytes = body.json_bytes;
    job.body = body.body();
    replays_[operation].jobs.push_back(job);
    bodies_.push_back(std::move(body));
}

WarmUp::Report WarmUp::run(Model& model, Executor& executor, const Clock& clock) const {
    Report report;
    const Micros each = kBudget / static_cast<Micros>(std::max<size_t>(replays_.size(), 1));
    for (const auto& [operation, replay] : replays_) {
        const Micros until = clock.now() + each;
        const auto run = [&](std::span<const Job> jobs) {
            const auto states = executor.run(model, operation, jobs);
            report.requests += static_cast<uint32_t>(jobs.size());
            report.failed += static_cast<uint32_t>(
                std::count_if(states.begin(), states.end(), [](const auto& state) { return !state.is_ok(); }));
            return clock.now() < until;
        };
        bool has_time = !replay.jobs.empty();
        for (size_t i = 0; i < replay.jobs.size() && has_time; ++i) has_time = run({&replay.jobs[i], 1});
        Circle circle(replay.jobs);
        const size_t largest = std::min(replay.largest_batch == 0 ? kUsualBatch : replay.largest_batch, kMostBatch);
        for (size_t batch = 2; batch < 2 * largest && has_time; batch *= 2) has_time = run(circle.next(std::min(batch, largest)));
    }
    return report;
}

}  // namespace rankd::engine
