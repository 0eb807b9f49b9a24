#include "engine/runner.h"

#include <algorithm>
#include <utility>

namespace rankd::engine {
namespace {

/// About what a batch of small requests takes: none of them waits longer for a large one.
constexpr double kSliceUs = 250;
/// As much as a turn: what takes less is not worth resting.
constexpr double kLargeUs = 1000;
/// A large request lets those pass that came up to so many times its computed time later. Small ones so wait about as long as
/// without it, and it still ends: its place moves by a bounded amount.
constexpr double kYield = 16;
constexpr size_t kLeastSliceRows = 32;

BatchBounds bounds_of(const Model& model, double budget_us) {
    BatchBounds bounds;
    bounds.max_rows = model.pace().max_rows();
    bounds.cost_us = model.pace().batch_us();
    bounds.budget_us = budget_us;
    return bounds;
}

}  // namespace

bool is_large(wire::Operation operation, double cost_us) {
    return can_be_cut(operation) && cost_us > kLargeUs;
}

Runner::Runner(const wire::Limits& limits, const Clock& clock, store::EventLog* log) : clock_(clock) {
    for (Task& task : tasks_) task.executor = std::make_unique<Executor>(limits, clock, log);
}

/// As urgent as it came when it must go on now to be in time; else it yields in proportion to what it has had.
Micros Runner::urgency_of(const Task& task, Micros now) const {
    const double had_us = task.executor->busy_us(), left_us = std::max(task.expected_us - had_us, 0.0);
    const bool is_pressing = task.first.deadline != 0 && now + static_cast<Micros>(2 * left_us) >= task.first.deadline;
    return task.first.urgency + (is_pressing ? 0 : static_cast<Micros>(kYield * had_us));
}

Runner::Task* Runner::most_urgent_resting(Micros now) {
    Task* best = nullptr;
    for (Task& task : tasks_)
        if (task.is_taken && (best == nullptr || urgency_of(task, now) < urgency_of(*best, now))) best = &task;
    return best;
}

Runner::Task* Runner::free_task() {
    const auto found = std::find_if(tasks_.begin(), tasks_.end(), [](const Task& task) { return !task.is_taken; });
    return found == tasks_.end() ? nullptr : found;
}

bool Runner::can_begin_large() const {
    return std::count_if(tasks_.begin(), tasks_.end(), [](const Task& task) { return !task.is_taken; }) > 1;
}

bool Runner::has_resting() const {
    return std::any_of(tasks_.begin(), tasks_.end(), [](const Task& task) { return task.is_taken; });
}

/// Small requests pass a resting one that yields to them; among large ones only urgency counts, or all of them would end late.
bool Runner::passes(const WorkQueue& queue, const Task& resting, Micros now, WorkQueue::Head& head) const {
    if (queue.next(false, head) && head.waiting.urgency < urgency_of(resting, now)) return true;
    return can_begin_large() && queue.next(true, head) && head.key.is_large && head.waiting.urgency < resting.first.urgency;
}

Runner::Task* Runner::choose(WorkQueue& queue, double budget_us) {
    const Micros now = clock_.now();
    Task* const resting = most_urgent_resting(now);
    WorkQueue::Head head;
    if (resting != nullptr ? !passes(queue, *resting, now, head) : !queue.next(true, head)) return resting;
    Task& task = *free_task();
    task.cut = queue.take(head.lane, now, bounds_of(*head.key.model, budget_us), batch_);
    task.lane = head.key;
    task.first = head.waiting;
    task.expected_us = static_cast<double>(head.waiting.cost_us);
    task.requests.clear();
    for (const Waiting& waiting : batch_) task.requests.push_back(waiting.request);
    task.is_taken = true;
    task.is_begun = false;
    return &task;
}

/// Drops what nobody waits for any more. @return whether anything is left
bool Runner::begin(Task& task, AnswerSink& sink) {
    const Micros now = clock_.now();
    Model& model = *task.lane.model;
    std::erase_if(task.requests, [&](OpenRequest* request) {
        const bool is_cancelled = request->is_cancelled.load(std::memory_order_acquire);
        if (!is_cancelled && !request->is_expired(now)) return false;
        AnswerRecord record;
        if (!is_cancelled) {
            record = refuse(model, task.lane.operation, request->job, deadline_exceeded(), now, sink.out_for(*request));
            model.pace().record(static_cast<double>(now - request->job.submitted_at), now);
        }
        sink.deliver(*request, record);
        return true;
    });
    if (task.requests.empty()) return false;
    model.count_cut(task.lane.operation, task.cut);
    jobs_.clear();
    for (OpenRequest* request : task.requests) {
        jobs_.push_back(request->job);
        if (std::exchange(request->is_pending, false)) model.inference().count_pending(-1);
    }
    // What users did is written down once: it warms no later version.
    if (task.lane.operation != wire::Operation::kFeedback) model.sample(task.lane.operation).offer(jobs_);
    task.executor->begin(model, task.lane.operation, jobs_);
    task.is_begun = true;
    return true;
}

/// @return false when that was the last slice: the answer is ready
bool Runner::slice(Task& task, AnswerSink& sink) {
    OpenRequest& request = *task.requests[0];
    if (request.is_cancelled.load(std::memory_order_acquire)) {
        task.executor->release();
        task.is_taken = false;
        sink.deliver(request, {});
        return true;
    }
    const CostModel& cost = task.lane.model->cost(task.lane.operation);
    const auto rows = static_cast<size_t>(std::max<double>(cost.units_within(kSliceUs), kLeastSliceRows));
    if (!task.executor->step(rows)) return false;
    const AnswerRecord part = task.executor->part(0, sink.out_for(request));
    if (part.length > 0) sink.deliver(request, part);
    return true;
}

double Runner::step(Task& task, AnswerSink& sink) {
    const Micros started = clock_.now();
    if (!task.is_begun && !begin(task, sink)) {
        task.is_taken = false;
    } else if (task.lane.is_large ? !slice(task, sink) : !task.executor->step(pipeline::kAllRows)) {
        finish(task, sink);
    }
    return static_cast<double>(clock_.now() - started);
}

void Runner::finish(Task& task, AnswerSink& sink) {
    task.is_taken = false;
    Model& model = *task.lane.model;
    task.executor->end();
    const Micros now = clock_.now();
    for (size_t i = 0; i < task.requests.size(); ++i) {
        OpenRequest& request = *task.requests[i];
        AnswerRecord record;
        if (!request.is_cancelled.load(std::memory_order_acquire)) {
            model.pace().record(static_cast<double>(now - request.job.submitted_at), now);
            record = task.executor->answer(i, sink.out_for(request));
            request.inference = task.executor->inference();
        }
        sink.deliver(request, record);
    }
    task.executor->close();
}

}  // namespace rankd::engine
