#include "engine/work_queue.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/model.h"

namespace rankd::engine {
namespace {

constexpr std::array<std::string_view, kCuts> kCutNames = {"idle", "full", "cost", "budget", "deadline", "slice"};

/// For heaps with the most urgent in front.
bool goes_after(const Waiting& a, const Waiting& b) {
    return a.urgency != b.urgency ? a.urgency > b.urgency : a.order > b.order;
}

}  // namespace

std::string_view cut_name(size_t cut) {
    return kCutNames[cut];
}

WorkQueue::Lane& WorkQueue::lane_of(const LaneKey& key) {
    const auto known = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) { return lane.key == key; });
    if (known != lanes_.end()) return *known;
    // A lane whose model has gone is empty for ever: its place serves the next.
    constexpr size_t kKeptLanes = 64;
    const auto unused = std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.heap.empty(); });
    Lane& lane = lanes_.size() >= kKeptLanes && unused != lanes_.end() ? *unused : lanes_.emplace_back();
    lane.key = key;
    lane.served_us = 0;
    return lane;
}

void WorkQueue::push(const LaneKey& key, const Waiting& waiting) {
    Lane& lane = lane_of(key);
    // No credit for time without work.
    if (lane.heap.empty()) lane.served_us = std::max(lane.served_us, virtual_us_);
    lane.heap.push_back(waiting);
    lane.heap.back().order = order_++;
    std::push_heap(lane.heap.begin(), lane.heap.end(), goes_after);
    ++size_;
    backlog_us_ += static_cast<double>(waiting.cost_us);
    if (waiting.deadline != 0) next_deadline_ = std::min(next_deadline_, waiting.deadline);
}

bool WorkQueue::next(bool with_large, Head& head) const {
    const auto may_run = [&](const Lane& lane) { return !lane.heap.empty() && (with_large || !lane.key.is_large); };
    double least_served_us = BatchBounds::kNone;
    for (const Lane& lane : lanes_)
        if (may_run(lane)) least_served_us = std::min(least_served_us, lane.served_us);
    const Lane* best = nullptr;
    for (const Lane& lane : lanes_) {
        if (!may_run(lane) || lane.served_us > least_served_us + kFairnessUs) continue;
        if (best == nullptr || goes_after(best->heap.front(), lane.heap.front())) best = &lane;
    }
    if (best == nullptr) return false;
    head = {static_cast<size_t>(best - lanes_.data()), best->key, best->heap.front()};
    return true;
}

void WorkQueue::pop(Lane& lane) {
    std::pop_heap(lane.heap.begin(), lane.heap.end(), goes_after);
    backlog_us_ -= static_cast<double>(lane.heap.back().cost_us);
    lane.heap.pop_back();
    --size_;
}

Cut WorkQueue::take(size_t index, Micros now, const BatchBounds& bounds, std::vector<Waiting>& batch) {
    Lane& lane = lanes_[index];
    batch.clear();
    if (lane.key.is_large) {
        batch.push_back(lane.heap.front());
        pop(lane);
        return Cut::kSlice;
    }
    const CostModel& cost = lane.key.model->cost(lane.key.operation);
    const Micros deadline = lane.heap.front().deadline;
    const double slack_us = deadline == 0 ? BatchBounds::kNone : static_cast<double>(deadline - now);
    double units = 0, us = 0;
    while (!lane.heap.empty()) {
        const Waiting& next = lane.heap.front();
        const double more = units + static_cast<double>(next.units), more_us = cost.estimate_us(more);
        if (!batch.empty()) {
            if (batch.size() >= bounds.max_requests || more > bounds.max_rows) return Cut::kFull;
            if (more_us > bounds.cost_us) return Cut::kCost;
            if (more_us > bounds.budget_us) return Cut::kBudget;
            if (more_us > slack_us && us <= slack_us) return Cut::kDeadline;
        }
        units = more;
        us = more_us;
        batch.push_back(next);
        pop(lane);
    }
    return Cut::kIdle;
}

void WorkQueue::charge(const LaneKey& key, double us) {
    Lane& lane = lane_of(key);
    virtual_us_ = std::max(virtual_us_, lane.served_us);
    lane.served_us += us;
    if (is_empty()) virtual_us_ = std::max(virtual_us_, lane.served_us);
}

double WorkQueue::ahead_us(Micros urgency) const {
    double ahead = 0;
    for (const Lane& lane : lanes_)
        for (const Waiting& waiting : lane.heap)
            if (waiting.urgency <= urgency) ahead += static_cast<double>(waiting.cost_us);
    return ahead;
}

/// After requests were taken out of the middle.
void WorkQueue::recount() {
    size_ = 0;
    backlog_us_ = 0;
    next_deadline_ = std::numeric_limits<Micros>::max();
    for (Lane& lane : lanes_) {
        std::make_heap(lane.heap.begin(), lane.heap.end(), goes_after);
        size_ += lane.heap.size();
        for (const Waiting& waiting : lane.heap) {
            backlog_us_ += static_cast<double>(waiting.cost_us);
            if (waiting.deadline != 0) next_deadline_ = std::min(next_deadline_, waiting.deadline);
        }
    }
}

}  // namespace rankd::engine
