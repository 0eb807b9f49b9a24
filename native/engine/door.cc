// The door of a handle: from bytes to a request that waits its turn, or to the reason why it does not.
#include <algorithm>
#include <cstring>

#include "engine/core.h"
#include "engine/handle.h"
#include "engine/queue_policy.h"
#include "wire/oip_head.h"

namespace rankd::engine {
namespace {

/// Requests without a deadline queue as if they had this one.
constexpr Micros kPatience = 60'000'000;
/// Of the time until a deadline: the rest is for what no estimate sees, and for the answer's way. Answers leave at the end of a
/// turn; under a standing overload every request would else be answered in the moment of its deadline, and half of them after it.
constexpr double kOurPart = 0.6;
/// How far one step of priority moves a request; 5 is the middle of 1..9.
constexpr Micros kPriorityStep = 10'000;

Micros urgency_of(Micros submitted_at, Micros deadline, uint8_t priority) {
    const Micros base = deadline != 0 ? deadline : submitted_at + kPatience;
    return priority == 0 ? base : base + (priority - 5) * kPriorityStep;
}

/// The earlier of two, each given as time from submission; 0 = none.
Micros deadline_of(Micros submitted_at, Micros a, Micros b) {
    const Micros time = a == 0 || b == 0 ? a + b : std::min(a, b);
    return time == 0 ? 0 : submitted_at + time;
}

/// The body says how urgent it is, and admission cannot wait until it is decoded.
void read_urgency(const Job& job, wire::Envelope& envelope) {
    constexpr uint64_t kLongest = 1'000'000ull * 60 * 60 * 24 * 365;
    const wire::OipUrgency urgency = wire::peek_urgency(wire::oip_json(job.body, job.json_bytes));
    envelope.timeout_us = static_cast<Micros>(std::min(urgency.timeout_us, kLongest));
    if (urgency.priority != 0) envelope.priority = urgency.priority;
}

QueueWish wish_of(const OpenRequest& request, const wire::Envelope& envelope) {
    const QueueWish wish{envelope.timeout_us, envelope.priority};
    return request.operation == wire::Operation::kInfer ? within_policy(request.model->queue(), wish) : wish;
}

}  // namespace

int32_t Handle::submit(std::span<const uint8_t> bytes, wire::Codec codec, const std::optional<BareBody>& bare) {
    if (is_detached_ || core_->is_closed()) return -static_cast<int32_t>(Code::ENGINE_CLOSED);
    // Even refusals are answered with the request's id; only a caller who never flushes meets this wall.
    if (open_count() >= std::min<size_t>(2ull * core_->options().queue_capacity, RequestPool::kMost))
        return -static_cast<int32_t>(Code::OVERLOADED);
    OpenRequest& request = open(codec, bare ? wire::Framing::kBody : wire::Framing::kRpc);
    read_request(request, bytes, bare);
    if (!request.failure.is_ok()) {
        request.phase = OpenRequest::Phase::kRefused;
        refused_.push_back(&request);
    } else {
        wait_for_turn(request);
    }
    return static_cast<int32_t>(request.ticket);
}

void Handle::wait_for_turn(OpenRequest& request) {
    request.is_pending = request.operation == wire::Operation::kInfer;
    if (request.is_pending) request.model->inference().count_pending(1);
    if (runs_with_workers(request)) {
        request.phase = OpenRequest::Phase::kWithWorkers;
        for_workers_.push_back(&request);
    } else {
        queue_.push(request.lane(), request.waiting);
    }
}

OpenRequest& Handle::open(wire::Codec codec, wire::Framing framing) {
    OpenRequest& request = pool_.take();
    core_->count_open(1);
    request.phase = OpenRequest::Phase::kWaiting;
    request.ended = Code::CANCELLED;
    request.job = {codec, framing, {}, {}, core_->clock().now()};
    return request;
}

void Handle::read_request(OpenRequest& request, std::span<const uint8_t> bytes, const std::optional<BareBody>& bare) {
    const wire::Limits& limits = core_->options().limits;
    wire::Envelope envelope;
    const uint32_t max_bytes = limits.max_bytes(request.job.codec);
    const bool is_oversized = bytes.size() > max_bytes;
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
        request.job.trace = bare->trace;
        request.job.json_bytes = bare->json_bytes;
        if (is_oversized)
            request.failure = {Code::TOO_LARGE, "the body has " + std::to_string(bytes.size()) + " bytes, at most " +
                                                    std::to_string(max_bytes) + " are accepted"};
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
    if (request.job.codec == wire::Codec::kOip) read_urgency(request.job, envelope);
    request.failure = admit(request, envelope);
}

Status Handle::admit(OpenRequest& request, const wire::Envelope& envelope) {
    if (core_->is_draining()) return {Code::DRAINING, "this server is shutting down; send the request to another one"};
    reader_.enter();
    RANKD_ASSIGN_OR_RETURN(request.model, core_->routes().visible().resolve(envelope.target));
    request.epoch = reader_.pin();
    const Micros submitted_at = request.job.submitted_at;
    const uint32_t deadline_ms = envelope.deadline_ms != 0 ? envelope.deadline_ms : core_->options().default_deadline_ms;
    Waiting& waiting = request.waiting;
    const QueueWish wish = wish_of(request, envelope);
    waiting.deadline = deadline_of(submitted_at, static_cast<Micros>(deadline_ms) * 1000, wish.timeout_us);
    request.job.deadline = waiting.deadline;
    waiting.urgency = urgency_of(submitted_at, waiting.deadline, wish.priority);
    const CostModel& cost = request.model->cost(request.operation);
    const double units = wire::carries_rows(request.operation) ? cost.units_of(request.job.codec, request.job.body.size()) : 1;
    waiting.units = static_cast<float>(units);
    waiting.cost_us = static_cast<float>(cost.estimate_us(units));
    waiting.request = &request;
    request.is_large = is_large(request.operation, static_cast<double>(waiting.cost_us));
    const uint32_t capacity = core_->options().queue_capacity;
    if (open_count() > capacity)
        return overloaded(std::to_string(capacity) + " requests are open, no more are held",
                          admission_.wait_us(queue_.backlog_us()));
    RANKD_RETURN_IF_ERROR(check_queue(request));
    return check_wait(request);
}

/// The model's own bound on how many wait for it, with whichever thread.
Status Handle::check_queue(const OpenRequest& request) const {
    const uint32_t max_size = request.model->queue().max_size;
    if (request.operation != wire::Operation::kInfer || max_size == 0) return Status::ok();
    if (request.model->inference().pending() < max_size) return Status::ok();
    return overloaded(
        "Exceeds maximum queue size: " + std::to_string(max_size) + " requests wait for '" + request.model->name() + "'",
        admission_.wait_us(queue_.backlog_us()));
}

/// What would be too late is refused now, while it is cheap and the caller can still go elsewhere.
Status Handle::check_wait(const OpenRequest& request) const {
    const Waiting& waiting = request.waiting;
    double allowed_us = std::min(request.model->pace().wait_us(), core_->options().max_wait_ms * 1000.0);
    if (waiting.deadline != 0)
        allowed_us = std::min(allowed_us, kOurPart * static_cast<double>(waiting.deadline - request.job.submitted_at));
    const double own_us = static_cast<double>(waiting.cost_us);
    if (runs_with_workers(request)) {
        const double wait_us = core_->workers().wait_us();
        return wait_us == 0 || wait_us + own_us <= allowed_us ? Status::ok() : overloaded(wait_us + own_us, allowed_us);
    }
    // Nothing waits: whatever the estimate says, only doing it tells.
    if (queue_.is_empty()) return Status::ok();
    if (admission_.wait_us(queue_.backlog_us() + own_us) <= allowed_us) return Status::ok();
    const double wait_us = admission_.wait_us(queue_.ahead_us(waiting.urgency) + own_us);
    return wait_us <= allowed_us ? Status::ok() : overloaded(wait_us, allowed_us);
}

/// Long work that cannot be cut into slices would keep this thread from its sockets, and so would waiting for a disk. Without a
/// core of their own, workers only take what would keep it for several turns: a switch of threads gains nothing there.
bool Handle::runs_with_workers(const OpenRequest& request) const {
    const CoreOptions& options = core_->options();
    const store::EventLog* const log = core_->event_log();
    if (request.operation == wire::Operation::kFeedback && log != nullptr && log->is_synced())
        return core_->workers().thread_count() > 0;
    const double short_us = options.short_work_us * (options.workers_have_cores ? 1.0 : 4.0);
    return core_->workers().thread_count() > 0 && !can_be_cut(request.operation) &&
           static_cast<double>(request.waiting.cost_us) > short_us;
}

}  // namespace rankd::engine
