// The batcher on a clock of its own: against a slow and obvious model of the same rules, and each rule alone.
#include "engine/work_queue.h"

#include <algorithm>
#include <map>
#include <random>

#include "engine/model.h"
#include "pipeline/bundle.h"
#include "tests/fake_sessions.h"
#include "tests/test.h"

namespace rankd {
namespace {

using engine::BatchBounds;
using engine::Cut;
using engine::LaneKey;
using engine::Model;
using engine::Waiting;
using engine::WorkQueue;
using wire::Operation;

/// Two models whose requests cost 1 µs a row and 50 µs a row.
class TwoModels {
  public:
    TwoModels() : cheap(open()), dear(open()) {
        for (double units = 1; units < 1 << 15; units *= 2) {
            cheap.cost(Operation::kRank).learn(units, units);
            dear.cost(Operation::kRank).learn(units, 50 * units);
        }
    }

    Model cheap, dear;

  private:
    static std::unique_ptr<pipeline::Bundle> open() {
        return std::move(pipeline::Bundle::open(test::fixture_model("tiny"), test::fake_sessions())).value();
    }
};

LaneKey lane(Model& model, bool is_large = false) {
    return {&model, Operation::kRank, is_large};
}

/// A request is known here by its urgency's place; no OpenRequest is needed to queue one.
Waiting request(Model& model, Micros urgency, double rows = 1, Micros deadline = 0) {
    Waiting waiting;
    waiting.urgency = urgency;
    waiting.deadline = deadline;
    waiting.units = static_cast<float>(rows);
    waiting.cost_us = static_cast<float>(model.cost(Operation::kRank).estimate_us(rows));
    return waiting;
}

std::vector<Micros> urgencies(const std::vector<Waiting>& batch) {
    std::vector<Micros> all;
    for (const Waiting& waiting : batch) all.push_back(waiting.urgency);
    return all;
}

/// Takes the next batch, as an executor does. @return its urgencies; empty when nothing may run
std::vector<Micros> take_next(WorkQueue& queue, Cut& cut, const BatchBounds& bounds = {}, Micros now = 0,
                              bool with_large = true) {
    WorkQueue::Head head;
    std::vector<Waiting> batch;
    if (!queue.next(with_large, head)) return {};
    cut = queue.take(head.lane, now, bounds, batch);
    return urgencies(batch);
}

TEST("the most urgent goes first, and of equals the one that came first") {
    TwoModels models;
    WorkQueue queue;
    for (const Micros urgency : {30, 10, 20}) queue.push(lane(models.cheap), request(models.cheap, urgency));
    Cut cut{};
    CHECK(take_next(queue, cut, {.max_requests = 1}) == std::vector<Micros>{10});
    CHECK(take_next(queue, cut) == (std::vector<Micros>{20, 30}));
    for (const double rows : {1, 2, 3}) queue.push(lane(models.cheap), request(models.cheap, 7, rows));
    WorkQueue::Head head;
    std::vector<Waiting> batch;
    CHECK(queue.next(true, head));
    queue.take(head.lane, 0, {}, batch);
    for (size_t i = 0; i < 3; ++i) CHECK_EQ(batch[i].units, static_cast<float>(i + 1));
}

TEST("every cut has its reason") {
    TwoModels models;
    WorkQueue queue;
    const auto refill = [&](Micros deadline = 0) {
        queue.remove_if([](const Waiting&) { return true; });
        for (Micros urgency = 1; urgency <= 8; ++urgency)
            queue.push(lane(models.cheap), request(models.cheap, urgency, 100, deadline));
    };
    const auto expect = [&](const BatchBounds& bounds, size_t size, Cut cut, Micros now = 0) {
        Cut seen{};
        CHECK_EQ(take_next(queue, seen, bounds, now).size(), size);
        CHECK_EQ(engine::cut_name(static_cast<size_t>(seen)), engine::cut_name(static_cast<size_t>(cut)));
    };
    refill();
    expect({}, 8, Cut::kIdle);
    refill();
    expect({.max_requests = 3}, 3, Cut::kFull);
    refill();
    expect({.max_rows = 450}, 4, Cut::kFull);
    refill();
    expect({.cost_us = 520}, 5, Cut::kCost);
    refill();
    expect({.cost_us = 520, .budget_us = 220}, 2, Cut::kBudget);
    refill(1000);
    expect({}, 3, Cut::kDeadline, 640);  // 360 µs are left: a fourth request would make the first late
    refill(1000);
    expect({}, 8, Cut::kIdle, 950);  // it is late anyway: the others need not wait for that
    refill();
    expect({.budget_us = 0}, 1, Cut::kBudget);  // always one
    queue.remove_if([](const Waiting&) { return true; });
    for (Micros urgency = 1; urgency <= 2; ++urgency) queue.push(lane(models.dear, true), request(models.dear, urgency, 5000));
    expect({}, 1, Cut::kSlice);
}

TEST("large requests wait apart, and do not begin when they may not") {
    TwoModels models;
    WorkQueue queue;
    queue.push(lane(models.cheap, true), request(models.cheap, 1, 5000));
    queue.push(lane(models.cheap), request(models.cheap, 2));
    Cut cut{};
    CHECK(take_next(queue, cut, {}, 0, false) == std::vector<Micros>{2});
    CHECK(take_next(queue, cut, {}, 0, false).empty());
    CHECK(take_next(queue, cut) == std::vector<Micros>{1});
}

TEST("a slow model cannot starve a fast one, however urgent its requests are") {
    TwoModels models;
    WorkQueue queue;
    double dear_us = 0, cheap_us = 0;
    Micros urgency = 0;
    // Both always have work: each round one batch runs, and more comes of both.
    for (int round = 0; round < 4000; ++round) {
        queue.push(lane(models.dear), request(models.dear, urgency++, 20));               // 1,000 µs, always more urgent
        queue.push(lane(models.cheap), request(models.cheap, urgency + 1'000'000, 100));  // 100 µs
        WorkQueue::Head head;
        std::vector<Waiting> batch;
        CHECK(queue.next(true, head));
        queue.take(head.lane, 0, {.cost_us = 1000}, batch);
        double us = 0;
        for (const Waiting& waiting : batch) us += static_cast<double>(waiting.cost_us);
        (head.key.model == &models.dear ? dear_us : cheap_us) += us;
        queue.charge(head.key, us);
    }
    CHECK(cheap_us >= 4000 * 100 * 0.95);  // all that came of it was served: it asks for less than its half
    CHECK(dear_us > cheap_us);
}

TEST("time without work earns no credit") {
    TwoModels models;
    WorkQueue queue;
    Cut cut{};
    queue.push(lane(models.dear), request(models.dear, 1));
    take_next(queue, cut);
    queue.charge(lane(models.dear), 1e6);
    // The other model comes for the first time, after a second in which only the first one worked.
    queue.push(lane(models.cheap), request(models.cheap, 5));
    queue.push(lane(models.dear), request(models.dear, 2));
    CHECK(take_next(queue, cut) == std::vector<Micros>{2});
}

TEST("what waits and what goes before is known, also after some was taken out") {
    TwoModels models;
    WorkQueue queue;
    for (Micros urgency = 1; urgency <= 10; ++urgency)
        queue.push(lane(models.dear), request(models.dear, urgency, 1, urgency * 100));
    CHECK(std::abs(queue.backlog_us() - 500) < 1);
    CHECK(std::abs(queue.ahead_us(4) - 200) < 1);
    CHECK(!queue.has_expired(99));
    CHECK(queue.has_expired(100));
    queue.remove_if([](const Waiting& waiting) { return waiting.urgency <= 4; });
    CHECK(std::abs(queue.backlog_us() - 300) < 1);
    CHECK_EQ(queue.size(), 6u);
    CHECK(!queue.has_expired(499));
    CHECK(queue.has_expired(500));
}

/// The same rules, written down without a thought for speed.
class ObviousQueue {
  public:
    struct Lane {
        std::vector<Waiting> waiting;
        double served_us = 0;
    };

    void push(int key, Waiting waiting) {
        Lane& lane = lanes_[key];
        if (lane.waiting.empty()) lane.served_us = std::max(lane.served_us, virtual_us_);
        waiting.order = order_++;
        lane.waiting.push_back(waiting);
    }

    int next() const {
        double least = BatchBounds::kNone;
        for (const auto& [key, lane] : lanes_)
            if (!lane.waiting.empty()) least = std::min(least, lane.served_us);
        int best = -1;
        for (const auto& [key, lane] : lanes_) {
            if (lane.waiting.empty() || lane.served_us > least + WorkQueue::kFairnessUs) continue;
            if (best < 0 || before(first(lane), first(lanes_.at(best)))) best = key;
        }
        return best;
    }

    std::vector<Micros> take(int key, size_t most, double cost_us, const engine::CostModel& cost) {
        std::vector<Micros> batch;
        double units = 0;
        std::vector<Waiting>& waiting = lanes_[key].waiting;
        while (!waiting.empty() && batch.size() < most) {
            const Waiting next = first(lanes_[key]);
            units += static_cast<double>(next.units);
            if (!batch.empty() && cost.estimate_us(units) > cost_us) break;
            batch.push_back(next.urgency);
            std::erase_if(waiting, [&](const Waiting& one) { return one.order == next.order; });
        }
        return batch;
    }

    void charge(int key, double us) {
        virtual_us_ = std::max(virtual_us_, lanes_[key].served_us);
        lanes_[key].served_us += us;
        const bool is_empty =
            std::all_of(lanes_.begin(), lanes_.end(), [](const auto& one) { return one.second.waiting.empty(); });
        if (is_empty) virtual_us_ = std::max(virtual_us_, lanes_[key].served_us);
    }

  private:
    static bool before(const Waiting& a, const Waiting& b) {
        return a.urgency != b.urgency ? a.urgency < b.urgency : a.order < b.order;
    }
    static Waiting first(const Lane& lane) { return *std::min_element(lane.waiting.begin(), lane.waiting.end(), before); }

    std::map<int, Lane> lanes_;
    double virtual_us_ = 0;
    uint64_t order_ = 0;
};

TEST("whatever comes, the queue does what the obvious model does") {
    TwoModels models;
    std::mt19937 random(5);
    const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    for (int episode = 0; episode < 60; ++episode) {
        WorkQueue queue;
        ObviousQueue obvious;
        for (int step = 0; step < 400; ++step) {
            if (below(3) != 0) {
                const int key = static_cast<int>(below(2));
                Model& model = key == 0 ? models.cheap : models.dear;
                const Waiting waiting = request(model, below(1000), 1 + below(200));
                queue.push(lane(model), waiting);
                obvious.push(key, waiting);
                continue;
            }
            WorkQueue::Head head;
            const int expected = obvious.next();
            CHECK_EQ(queue.next(true, head), expected >= 0);
            if (expected < 0) continue;
            CHECK_EQ(head.key.model == &models.cheap ? 0 : 1, expected);
            const size_t most = 1 + below(20);
            const double cost_us = below(3000), spent_us = below(5000);
            std::vector<Waiting> batch;
            queue.take(head.lane, 0, {.max_requests = most, .cost_us = cost_us}, batch);
            CHECK(urgencies(batch) == obvious.take(expected, most, cost_us, head.key.model->cost(Operation::kRank)));
            queue.charge(head.key, spent_us);
            obvious.charge(expected, spent_us);
        }
    }
}

}  // namespace
}  // namespace rankd
