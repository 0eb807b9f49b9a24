// The turn of an I/O thread: take what arrived, refuse what cannot be served, run the rest in batches.
#include "engine/handle.h"

#include <algorithm>

#include "engine/core.h"

namespace rankd::engine {
namespace {

// A ticket is a slot and how often it was used before, so that an old ticket never reaches a new request.
constexpr uint32_t kSlotBits = 20;
constexpr uint32_t kSlotMask = (1u << kSlotBits) - 1;
constexpr uint32_t kTicketMask = 0x7FFFFFFFu;

constexpr size_t kMaxBatchRequests = 256;
/// Requests without a deadline queue as if they had this one.
constexpr Micros kPatience = 60'000'000;
/// How far one step of priority moves a request; 5 is the middle of 1..9.
constexpr Micros kPriorityStep = 10'000;
/// Buffers above this are given back when their request is answered.
constexpr size_t kKeptBytes = 1 << 20;

Micros urgency_of(Micros submitted_at, Micros deadline, uint8_t priority) {
    const Micros base = deadline != 0 ? deadline : submitted_at + kPatience;
    return priority == 0 ? base : base + (priority - 5) * kPriorityStep;
}

uint32_t flags_of(const AnswerRecord& record) {
    constexpr uint32_t kLast = 0x100;
    return static_cast<uint32_t>(record.code) | kLast | std::min<uint32_t>(record.retry_after_ms, 0xFFFF) << 16;
}

}  // namespace

Status deadline_exceeded() {
    return {Code::DEADLINE_EXCEEDED, "the deadline passed before the request was executed"};
}
Status engine_closed() {
    return {Code::ENGINE_CLOSED, "the engine has been closed"};
}

Handle::Handle(std::shared_ptr<Core> core) : core_(std::move(core)), executor_(core_->options().limits, core_->clock()) {}

Handle::~Handle() {
    detach();
}

OpenRequest& Handle::take_slot() {
    if (free_slots_.empty()) {
        slots_.push_back(std::make_unique<OpenRequest>());
        slots_.back()->ticket = static_cast<uint32_t>(slots_.size() - 1);
        free_slots_.push_back(static_cast<uint32_t>(slots_.size() - 1));
    }
    OpenRequest& request = *slots_[free_slots_.back()];
    free_slots_.pop_back();
    request.phase = OpenRequest::Phase::kWaiting;
    ++open_count_;
    core_->count_open(1);
    return request;
}

void Handle::release(OpenRequest& request) {
    request.phase = OpenRequest::Phase::kFree;
    request.is_cancelled.store(false, std::memory_order_relaxed);
    request.model.reset();
    request.failure = Status::ok();
    if (request.bytes.capacity() > kKeptBytes) request.bytes = {};
    free_slots_.push_back(request.ticket & kSlotMask);
    request.ticket = (request.ticket + (1u << kSlotBits)) & kTicketMask;
    --open_count_;
    core_->count_open(-1);
}

int32_t Handle::submit(std::span<const uint8_t> bytes, wire::Codec codec, const std::optional<BareBody>& bare) {
    if (is_detached_ || core_->is_closed()) return -static_cast<int32_t>(Code::ENGINE_CLOSED);
    // Even refusals are answered with the request's id; only a caller who never flushes meets this wall.
    if (open_count_ >= std::min<size_t>(2ull * core_->options().queue_capacity, kSlotMask)) {
        return -static_cast<int32_t>(Code::OVERLOADED);
    }
    OpenRequest& request = take_slot();
    request.job = {codec, bare ? wire::Framing::kBody : wire::Framing::kRpc, {}, {}, core_->clock().now()};
    read_request(request, bytes, bare);
    waiting_.push_back(&request);
    return static_cast<int32_t>(request.ticket);
}

void Handle::read_request(OpenRequest& request, std::span<const uint8_t> bytes, const std::optional<BareBody>& bare) {
    const wire::Limits& limits = core_->options().limits;
    wire::Envelope envelope;
    const bool is_oversized = bytes.size() > limits.max_frame_bytes;
    if (!is_oversized) {
        request.bytes.resize(bytes.size() + wire::kBodyPadding);
        std::memcpy(request.bytes.data(), bytes.data(), bytes.size());
        bytes = {request.bytes.data(), bytes.size()};
    }
    if (bare) {
        request.request_id_text = bare->request_id.empty() ? core_->next_request_id() : std::string(bare->request_id);
        request.job.request_id = wire::Id::of(std::string_view(request.request_id_text));
        envelope.operation = bare->operation;
        envelope.target = bare->target;
        envelope.deadline_ms = bare->deadline_ms;
        envelope.body = bytes;
        if (is_oversized)
            request.failure = {Code::TOO_LARGE, "the body has " + std::to_string(bytes.size()) + " bytes, at most " +
                                                    std::to_string(limits.max_frame_bytes) + " are accepted"};
    } else {
        request.failure = wire::read_envelope(bytes, limits, envelope);
        request.job.request_id = envelope.request_id;
        if (is_oversized && envelope.request_id.kind == wire::Id::Kind::kText) {
            request.request_id_text = envelope.request_id.text;
            request.job.request_id = wire::Id::of(std::string_view(request.request_id_text));
        }
    }
    if (!request.failure.is_ok()) return;
    request.operation = envelope.operation;
    request.job.body = envelope.body;
    request.failure = admit(request, envelope.target, envelope.deadline_ms, envelope.priority);
}

Status Handle::admit(OpenRequest& request, std::string_view target, uint32_t deadline_ms, uint8_t priority) {
    if (core_->is_draining()) return {Code::DRAINING, "this server is shutting down; send the request to another one"};
    if (open_count_ > core_->options().queue_capacity) {
        const auto wait_ms = static_cast<uint32_t>(backlog_us() / 1000.0) + 1;
        return Status::overloaded(std::to_string(open_count_ - 1) + " requests are waiting, at most " +
                                      std::to_string(core_->options().queue_capacity) + " may; try again in " +
                                      std::to_string(wait_ms) + " ms",
                                  wait_ms);
    }
    RANKD_ASSIGN_OR_RETURN(request.model, core_->routes().resolve(target));
    if (deadline_ms == 0) deadline_ms = core_->options().default_deadline_ms;
    request.deadline = deadline_ms == 0 ? 0 : request.job.submitted_at + static_cast<Micros>(deadline_ms) * 1000;
    request.urgency = urgency_of(request.job.submitted_at, request.deadline, priority);
    return Status::ok();
}

double Handle::backlog_us() const {
    double total = 0;
    for (const OpenRequest* request : waiting_)
        if (request->model) total += request->estimate_us();
    return total;
}

bool Handle::cancel(int32_t ticket) {
    const auto number = static_cast<uint32_t>(ticket);
    const uint32_t slot = number & kSlotMask;
    if (ticket < 0 || slot >= slots_.size()) return false;
    OpenRequest& request = *slots_[slot];
    if (request.ticket != number || request.phase == OpenRequest::Phase::kFree) return false;
    if (request.is_cancelled.exchange(true, std::memory_order_acq_rel)) return false;
    core_->errors().record(Code::CANCELLED);
    return true;
}

void Handle::deliver(OpenRequest& request, const AnswerRecord& record) {
    if (!request.is_cancelled.load(std::memory_order_relaxed))
        records_.insert(records_.end(), {request.ticket, record.offset, record.length, flags_of(record)});
    release(request);
}

void Handle::settle(OpenRequest& request, const Status& failure) {
    if (request.model) {
        request.model->counters(request.operation).record({failure.code(), 0, {}, 0});
    } else {
        core_->errors().record(failure.code());
    }
    deliver(request, encode_failure(request.job, failure, slab_));
}

void Handle::collect_completions() {
    std::vector<Completion> finished;
    {
        std::lock_guard lock(mutex_);
        finished.swap(completions_);
        is_woken_ = false;
    }
    for (Completion& completion : finished) {
        const auto base = static_cast<uint32_t>(slab_.size());
        slab_.append(completion.answers.data(), completion.answers.size());
        for (size_t i = 0; i < completion.requests.size(); ++i) {
            completion.records[i].offset += base;
            deliver(*completion.requests[i], completion.records[i]);
        }
    }
}

void Handle::sort_out_waiting(Micros now) {
    const bool is_closed = core_->is_closed();
    std::erase_if(waiting_, [&](OpenRequest* request) {
        if (request->is_cancelled.load(std::memory_order_relaxed)) {
            release(*request);
        } else if (!request->failure.is_ok()) {
            settle(*request, request->failure);
        } else if (is_closed) {
            settle(*request, engine_closed());
        } else if (request->is_expired(now)) {
            settle(*request, deadline_exceeded());
        } else {
            return false;
        }
        return true;
    });
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const OpenRequest* a, const OpenRequest* b) { return a->urgency < b->urgency; });
}

double Handle::form_batch(size_t first, double budget_us) {
    batch_.clear();
    const Model* model = waiting_[first]->model.get();
    const wire::Operation operation = waiting_[first]->operation;
    double cost = 0;
    for (size_t i = first; i < waiting_.size() && batch_.size() < kMaxBatchRequests; ++i) {
        OpenRequest* request = waiting_[i];
        if (request == nullptr || request->model.get() != model || request->operation != operation) continue;
        const double estimate = request->estimate_us();
        if (!batch_.empty() && cost + estimate > budget_us) break;
        cost += estimate;
        batch_.push_back(request);
        waiting_[i] = nullptr;
    }
    return cost;
}

void Handle::execute_batch() {
    jobs_.clear();
    for (const OpenRequest* request : batch_) jobs_.push_back(request->job);
    answers_.assign(batch_.size(), {});
    // The batch keeps its model alive through its requests.
    executor_.execute(*batch_[0]->model, batch_[0]->operation, jobs_, slab_, answers_);
    for (size_t i = 0; i < batch_.size(); ++i) deliver(*batch_[i], answers_[i]);
}

void Handle::hand_over_batch() {
    Task task{shared_from_this(), batch_[0]->model, batch_[0]->operation, batch_, batch_[0]->urgency};
    for (OpenRequest* request : batch_) request->phase = OpenRequest::Phase::kComputing;
    if (core_->workers().push(task)) return;
    const auto wait_ms = static_cast<uint32_t>(batch_[0]->estimate_us() * static_cast<double>(core_->workers().queue_length()) /
                                               1000.0 / std::max(1u, core_->workers().thread_count())) +
                         1;
    for (OpenRequest* request : batch_)
        settle(*request,
               Status::overloaded("the compute queue is full; try again in " + std::to_string(wait_ms) + " ms", wait_ms));
}

FlushResult Handle::flush(Micros budget) {
    slab_.clear();
    records_.clear();
    if (is_detached_) return {&slab_, records_, false};
    collect_completions();
    const Micros started = core_->clock().now();
    sort_out_waiting(started);
    const bool has_workers = core_->workers().thread_count() > 0;
    bool has_time = true;
    for (size_t first = 0; first < waiting_.size() && has_time; ++first) {
        if (waiting_[first] == nullptr) continue;
        const bool is_long = has_workers && waiting_[first]->estimate_us() > core_->options().short_work_us;
        const double left_us = static_cast<double>(budget - (core_->clock().now() - started));
        form_batch(first, std::max(left_us, 0.0));
        if (is_long) {
            hand_over_batch();
        } else {
            execute_batch();
            has_time = core_->clock().now() - started < budget;
        }
    }
    std::erase(waiting_, nullptr);
    return {&slab_, records_, !waiting_.empty()};
}

void Handle::on_ready(std::function<void()> wake) {
    std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

void Handle::complete(Completion completion) {
    std::lock_guard lock(mutex_);
    completions_.push_back(std::move(completion));
    if (is_woken_ || !wake_) return;
    is_woken_ = true;
    wake_();
}

void Handle::detach() {
    if (is_detached_) return;
    is_detached_ = true;
    {
        std::lock_guard lock(mutex_);
        wake_ = nullptr;
    }
    for (OpenRequest* request : waiting_) release(*request);
    waiting_.clear();
    // Requests a worker still holds stay in their slots, which live as long as the task's reference to this handle.
    core_->count_open(-static_cast<int64_t>(open_count_));
    open_count_ = 0;
    core_->forget_handle();
}

}  // namespace rankd::engine
