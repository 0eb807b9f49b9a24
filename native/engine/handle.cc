// The turn of an I/O thread: take what arrived, refuse what cannot be served in time, run the most urgent of the rest.
#include "engine/handle.h"

#include <algorithm>

#include "engine/core.h"

namespace rankd::engine {
namespace {

uint32_t flags_of(const AnswerRecord& record) {
    constexpr uint32_t kLast = 0x100, kStreamed = 0x200;
    return static_cast<uint32_t>(record.code) | (record.is_last ? kLast : 0) | (record.is_streamed ? kStreamed : 0) |
           std::min<uint32_t>(record.retry_after_ms, 0xFFFF) << 16;
}

}  // namespace

Status deadline_exceeded() {
    return {Code::DEADLINE_EXCEEDED, "the deadline passed before the request was executed"};
}
Status engine_closed() {
    return {Code::ENGINE_CLOSED, "the engine has been closed"};
}

Handle::Handle(std::shared_ptr<Core> core)
    : core_(std::move(core)), reader_(core_->epochs()), runner_(core_->options().limits, core_->clock(), core_->event_log()) {}

Handle::~Handle() {
    detach();
}

bool Handle::cancel(int32_t ticket) {
    OpenRequest* request = pool_.find(ticket);
    if (request == nullptr || request->is_cancelled.exchange(true, std::memory_order_acq_rel)) return false;
    core_->errors().record(Code::CANCELLED);
    cancelled_ += request->phase == OpenRequest::Phase::kWaiting;
    return true;
}

void Handle::deliver(OpenRequest& request, const AnswerRecord& record) {
    if (record.length > 0 && !request.is_cancelled.load(std::memory_order_relaxed)) {
        records_.insert(records_.end(), {request.ticket, record.offset, record.length, flags_of(record), record.queue_us,
                                         record.compute_us, record.json_bytes});
        if (record.is_last) request.ended = record.code;
    }
    if (record.is_last) release(request);
}

/// By how its caller sees it, and so exactly once, whoever executed it and whenever it was cancelled.
void Handle::count_inference(OpenRequest& request) {
    InferenceStatistics& statistics = request.model->inference();
    if (request.is_pending) statistics.count_pending(-1);
    if (!statistics.is_on()) return;
    if (request.ended == Code::OK) return statistics.record(request.inference);
    const Micros lasted = std::min<Micros>(core_->clock().now() - request.job.submitted_at, UINT32_MAX);
    statistics.record_failure(failure_reason(request.ended), static_cast<uint32_t>(lasted));
}

/// Every request that found its model leaves it here.
void Handle::unpin(OpenRequest& request) {
    if (request.model == nullptr) return;
    if (request.operation == wire::Operation::kInfer) count_inference(request);
    reader_.unpin(request.epoch);
    request.model = nullptr;
}

void Handle::release(OpenRequest& request) {
    if (request.phase != OpenRequest::Phase::kRefused) {
        settled_us_ += static_cast<double>(request.waiting.cost_us);
        settled_unknown_ |= request.waiting.cost_us == 0;
    }
    unpin(request);
    pool_.release(request);
    core_->count_open(-1);
}

void Handle::settle(OpenRequest& request, const Status& failure) {
    if (!request.model) {
        core_->errors().record(failure.code());
        return deliver(request, encode_failure(request.job, failure, slab_));
    }
    const Micros now = core_->clock().now();
    if (failure.code() == Code::DEADLINE_EXCEEDED)
        request.model->pace().record(static_cast<double>(now - request.job.submitted_at), now);
    deliver(request, refuse(*request.model, request.operation, request.job, failure, now, slab_));
}

void Handle::settle_refused() {
    for (OpenRequest* request : refused_) settle(*request, request->failure);
    refused_.clear();
}

void Handle::collect_completions() {
    {
        const std::lock_guard lock(mutex_);
        collected_.swap(completions_);
        is_woken_ = false;
    }
    for (std::unique_ptr<Completion>& completion : collected_) {
        const auto base = static_cast<uint32_t>(slab_.size());
        slab_.append(completion->answers.data(), completion->answers.size());
        for (Completion::Entry& entry : completion->entries) {
            entry.record.offset += base;
            deliver(*entry.request, entry.record);
        }
        core_->workers().give_back(std::move(completion));
    }
    collected_.clear();
}

/// Takes what has expired, and what nobody waits for, out of the queue before it costs anything.
void Handle::drop_unwanted(Micros now) {
    const bool is_closed = core_->is_closed();
    if (!is_closed && cancelled_ == 0 && !queue_.has_expired(now)) return;
    cancelled_ = 0;
    queue_.remove_if([&](const Waiting& waiting) {
        OpenRequest& request = *waiting.request;
        if (request.is_cancelled.load(std::memory_order_relaxed)) {
            release(request);
        } else if (is_closed) {
            settle(request, engine_closed());
        } else if (request.is_expired(now)) {
            settle(request, deadline_exceeded());
        } else {
            return false;
        }
        return true;
    });
}

/// A turn that has more to do than its time gives the most urgent of it to workers that are idle, or soon will be.
void Handle::share(Micros budget) {
    hand_over();
    Workers& workers = core_->workers();
    if (!core_->options().workers_have_cores || workers.thread_count() == 0) return;
    const auto turn_us = static_cast<double>(budget);
    double room_us = 2 * turn_us - workers.wait_us();
    WorkQueue::Head head;
    while (room_us > 0 && admission_.wait_us(queue_.backlog_us()) > turn_us && queue_.next(true, head)) {
        queue_.take(head.lane, core_->clock().now(), {.budget_us = turn_us / 2}, taken_);
        for (const Waiting& waiting : taken_) {
            room_us -= static_cast<double>(waiting.cost_us) / workers.thread_count();
            waiting.request->phase = OpenRequest::Phase::kWithWorkers;
            for_workers_.push_back(waiting.request);
        }
    }
    hand_over();
}

void Handle::hand_over() {
    if (for_workers_.empty()) return;
    const auto self = shared_from_this();
    for (OpenRequest* request : for_workers_) request->owner = self;
    const size_t taken = core_->workers().push(for_workers_);
    for (OpenRequest* request : std::span(for_workers_).subspan(taken))
        settle(*request, overloaded("the compute queue is full", core_->workers().wait_us()));
    for_workers_.clear();
}

void Handle::run_for(Micros started, Micros budget) {
    const Micros until = started + budget;
    for (Micros now = started; now < until; now = core_->clock().now()) {
        Runner::Task* const task = runner_.choose(queue_, static_cast<double>(until - now));
        if (task == nullptr) return;
        const LaneKey lane = task->lane;
        queue_.charge(lane, runner_.step(*task, *this));
    }
}

/// Only between two flushes with work left does it tell how fast the work goes.
void Handle::learn_rate(Micros now) {
    if (was_busy_ && !settled_unknown_) admission_.learn(settled_us_, now - looked_at_);
    settled_us_ = 0;
    settled_unknown_ = false;
    looked_at_ = now;
    was_busy_ = !queue_.is_empty() || runner_.has_resting();
}

FlushResult Handle::flush(Micros budget) {
    slab_.recycle();
    records_.clear();
    if (is_detached_) return {&slab_, records_, false};
    collect_completions();
    settle_refused();
    const Micros started = core_->clock().now();
    drop_unwanted(started);
    share(budget);
    run_for(started, budget);
    learn_rate(core_->clock().now());
    // The end of a turn: whatever was reloaded during it may go, but for what open requests hold.
    reader_.leave();
    return {&slab_, records_, was_busy_};
}

void Handle::on_ready(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

void Handle::complete(std::unique_ptr<Completion> completion) {
    const std::lock_guard lock(mutex_);
    if (is_detached_) return forget(*completion);
    completions_.push_back(std::move(completion));
    if (is_woken_ || !wake_) return;
    is_woken_ = true;
    wake_();
}

/// Nobody takes these answers any more; their requests keep the handle alive no longer.
void Handle::forget(Completion& completion) {
    for (const Completion::Entry& entry : completion.entries) {
        if (!entry.record.is_last) continue;
        unpin(*entry.request);
        entry.request->owner.reset();
    }
    reader_.leave();
}

void Handle::detach() {
    {
        const std::lock_guard lock(mutex_);
        if (is_detached_) return;
        is_detached_ = true;
        wake_ = nullptr;
        core_->count_open(-static_cast<int64_t>(open_count()));
        for (const auto& completion : completions_) forget(*completion);
        queue_.remove_if([](const Waiting&) { return true; });
        // Requests that a worker still holds stay in their places, which live as long as these requests own the handle.
        pool_.for_each_open([&](OpenRequest& request) {
            if (request.owner != nullptr) return;
            unpin(request);
            pool_.release(request);
        });
        reader_.leave();
    }
    core_->forget_handle();
}

}  // namespace rankd::engine
