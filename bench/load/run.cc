#include "run.h"

#include <algorithm>
#include <cmath>

namespace rankd::load {
namespace {

/// A sleep ends this much before something is due; the rest is spent asking, because a timer may be late by as much.
constexpr Nanos kWatch = kMillisecond;
/// So long after the last sign of life answers are asked for, not waited for: waking up would cost their latency tens of µs.
constexpr Nanos kKeepAsking = 500 * kMicrosecond;
/// Sends between two looks at the sockets; without a limit a burst would leave answers unread. Frames of a turn share system
/// calls, an http request costs one of its own.
constexpr size_t kFramesPerTurn = 128, kHttpRequestsPerTurn = 16;
/// From the moment all connections stand to the first intended send.
constexpr Nanos kRunUp = kMillisecond;

Nanos to_nanos(double seconds) {
    return static_cast<Nanos>(std::llround(seconds * static_cast<double>(kSecond)));
}

size_t expected_arrivals(const Spec& spec) {
    constexpr double kMost = 1e8;
    double expected = 1e5;
    for (const Step& step : spec.profile) expected += step.seconds * step.per_second * 1.1;
    return static_cast<size_t>(std::min(expected, kMost));
}

}  // namespace

Run::Run(const Spec& spec, uint32_t corpus_size, std::unique_ptr<Schedule> schedule, std::unique_ptr<Protocol> protocol,
         const std::vector<SocketAddress>& addresses)
    : spec_(spec),
      corpus_size_(corpus_size),
      schedule_(std::move(schedule)),
      protocol_(std::move(protocol)),
      retries_(spec.retry, spec.transport, spec.seed),
      connections_(addresses, spec.connections, *protocol_, *this),
      lateness_(kFramesPerTurn),
      free_(spec.connections) {}

Result<RunResult> Run::execute() {
    RANKD_RETURN_IF_ERROR(connections_.connect_all());
    start();
    while (turn()) {
    }
    if (is_exhausted_) {
        return Status(Code::LIMIT_EXCEEDED, "the server has left " + std::to_string(Requests::kMost) + " requests unanswered");
    }
    count_rest();
    recorder_->close();
    RunResult result;
    result.sent_bytes = connections_.sent_bytes() - sent_before_;
    result.received_bytes = connections_.received_bytes() - received_before_;
    result.utilisation = static_cast<double>(useful_) / static_cast<double>(recorder_->end() - recorder_->begin());
    result.recorder = std::move(recorder_);
    return result;
}

void Run::start() {
    start_ = now_ns() + kRunUp;
    const Nanos begin = start_ + to_nanos(spec_.warmup_seconds);
    const Nanos end = is_closed_loop() ? begin + to_nanos(spec_.closed_seconds) : start_ + schedule_->end();
    deadline_ = end + to_nanos(spec_.linger_seconds);
    recorder_ = std::make_unique<Recorder>(begin, end, to_nanos(spec_.interval_ms / 1000));
    if (!spec_.record.empty()) recorder_->keep_arrivals(expected_arrivals(spec_));
    is_started_ = true;
    if (!is_closed_loop()) return take_next_arrival();
    while (now_ns() < start_) {
    }
    for (size_t i = 0; i < connections_.size(); ++i) {
        for (uint32_t j = 0; j < spec_.in_flight; ++j) refill(connections_[i], now_ns());
    }
    connections_.flush();
}

/// One pass: send what is due, then see what came. @return false when the run is over
bool Run::turn() {
    const Nanos begin = now_ns();
    if (!is_measuring_ && begin >= recorder_->begin()) {
        is_measuring_ = true;
        sent_before_ = connections_.sent_bytes();
        received_before_ = connections_.received_bytes();
    }
    const bool has_sent = send_due(begin);
    const Nanos sent = has_sent ? now_ns() : begin;
    recorder_->count_missed(lateness_.settle(sent));
    if (is_exhausted_ || is_over(sent)) return false;
    const int timeout = wait_ms(sent);
    const int events = connections_.poll(timeout);
    // Time counts as useful when the pass did something; a wait that may sleep never does.
    const bool counts = begin >= recorder_->begin() && begin < recorder_->end();
    if (events > 0) {
        const Nanos end = now_ns();
        last_activity_ = end;
        if (counts) useful_ += end - (timeout == 0 ? sent : connections_.polled_at());
    }
    if (counts && has_sent) useful_ += sent - begin;
    return true;
}

bool Run::send_due(Nanos now) {
    bool has_sent = false;
    connections_.revive(now);
    if (!waiting_.is_empty()) send_waiting();
    while (!retries_.is_empty() && retries_.next_due() <= now) {
        dispatch(retries_.pop());
        has_sent = true;
    }
    if (next_ && start_ + next_->at <= now) {
        send_arrivals(now);
        has_sent = true;
    }
    connections_.flush();
    return has_sent;
}

void Run::send_arrivals(Nanos now) {
    const size_t most = is_http() ? kHttpRequestsPerTurn : kFramesPerTurn;
    for (size_t sent = 0; sent < most && next_ && start_ + next_->at <= now; ++sent) {
        const Nanos due = start_ + next_->at;
        if (next_->is_measured) lateness_.add(due);
        start_request(due, next_->place, next_->is_measured, kNoConnection);
        take_next_arrival();
    }
}

void Run::take_next_arrival() {
    Arrival arrival;
    next_ = schedule_->next(arrival) ? std::optional(arrival) : std::nullopt;
}

bool Run::is_over(Nanos now) const {
    if (now >= deadline_) return true;
    return now >= recorder_->end() && !next_ && recorder_->open() == 0;
}

int Run::wait_ms(Nanos now) const {
    if (open_ > 0 && now - last_activity_ < kKeepAsking) return 0;
    Nanos next = now < recorder_->end() ? recorder_->end() : deadline_;
    if (next_) next = std::min(next, start_ + next_->at);
    if (!retries_.is_empty()) next = std::min(next, retries_.next_due());
    next = std::min(next, connections_.next_revival());
    return static_cast<int>(std::clamp<Nanos>((next - now - kWatch) / kMillisecond, 0, 1000));
}

/// Measured requests whose time came and went while this program was behind.
void Run::count_rest() {
    uint64_t rest = 0;
    for (; next_; take_next_arrival()) rest += next_->is_measured;
    recorder_->count_never_sent(rest);
}

void Run::start_request(Nanos intended, uint32_t place, bool is_measured, uint32_t home) {
    const uint32_t slot = requests_.acquire();
    if (slot == kNoRequest) {
        is_exhausted_ = true;
        return;
    }
    Request& request = requests_[slot];
    request.intended = intended;
    request.place = place;
    request.is_measured = is_measured;
    request.connection = home;
    recorder_->count_intended(request);
    dispatch(slot);
}

void Run::start_closed(Connection& connection, Nanos now) {
    const bool is_measured = now >= recorder_->begin();
    if (is_measured && !closed_was_measured_) closed_count_ = 0;
    closed_was_measured_ = is_measured;
    start_request(now, static_cast<uint32_t>(closed_count_++ % corpus_size_), is_measured, connection.index);
}

void Run::dispatch(uint32_t slot) {
    Connection* connection = choose(requests_[slot]);
    if (connection != nullptr) return carry(*connection, slot);
    requests_.push_back(waiting_, slot);
}

/// Where a request goes: in a closed loop home, in an open one to the next connection that stands (http: that is free).
Connection* Run::choose(const Request& request) {
    if (is_closed_loop()) return &connections_[request.connection];
    return is_http() ? next_free() : next_up();
}

Connection* Run::next_up() {
    const auto count = static_cast<uint32_t>(connections_.size());
    for (uint32_t tried = 0; tried < count && connections_.up() > 0; ++tried) {
        Connection& connection = connections_[cursor_];
        cursor_ = cursor_ + 1 == count ? 0 : cursor_ + 1;
        if (connection.is_up()) return &connection;
    }
    return nullptr;
}

Connection* Run::next_free() {
    while (free_size_ > 0) {
        Connection& connection = connections_[free_[free_head_]];
        free_head_ = free_head_ + 1 == free_.size() ? 0 : free_head_ + 1;
        --free_size_;
        connection.is_free = false;
        if (connection.is_up() && connection.open.is_empty()) return &connection;
    }
    return nullptr;
}

void Run::become_free(Connection& connection) {
    if (connection.is_free || !connection.is_up() || !connection.open.is_empty()) return;
    connection.is_free = true;
    free_[(free_head_ + free_size_++) % free_.size()] = connection.index;
}

void Run::carry(Connection& connection, uint32_t slot) {
    const bool can_send = connection.is_up() && connection.backlog.is_empty() && connection.stream.has_room();
    if (can_send) return transmit(connection, slot);
    requests_[slot].connection = connection.index;
    requests_.push_back(connection.backlog, slot);
}

void Run::transmit(Connection& connection, uint32_t slot) {
    Request& request = requests_[slot];
    request.connection = connection.index;
    request.is_open = true;
    if (++request.attempts == 1) retries_.sent();
    recorder_->count_sent(request);
    requests_.push_back(connection.open, slot);
    ++open_;
    if (!protocol_->send(connection, requests_.id_of(slot), request.place)) return connections_.mark_broken(connection);
    if (!is_http()) connections_.mark_dirty(connection);
}

void Run::send_backlog(Connection& connection) {
    while (!connection.backlog.is_empty() && connection.is_up() && connection.stream.has_room()) {
        transmit(connection, requests_.pop_front(connection.backlog));
        if (is_http()) return;
    }
}

void Run::send_waiting() {
    while (!waiting_.is_empty()) {
        Connection* connection = choose(requests_[waiting_.first]);
        if (connection == nullptr) return;
        carry(*connection, requests_.pop_front(waiting_));
    }
}

void Run::on_answer(Connection& connection, uint64_t id, const Outcome& outcome) {
    const uint32_t slot = requests_.find(id);
    if (slot == kNoRequest || requests_[slot].connection != connection.index) return on_stray(connection);
    connections_.mark_healthy(connection);
    requests_.remove(connection.open, slot);
    requests_[slot].is_open = false;
    --open_;
    conclude(connection, slot, outcome, connections_.received_at());
    if (is_http() && !is_closed_loop()) {
        become_free(connection);
        send_waiting();
    }
}

void Run::on_stray(Connection&) {
    if (is_started_) recorder_->count_stray(connections_.received_at());
}

/// An attempt has ended: the request is tried again or has ended too.
void Run::conclude(Connection& connection, uint32_t slot, const Outcome& outcome, Nanos now) {
    const Request& request = requests_[slot];
    if (const auto wait = retries_.wait_before_next(outcome, request.attempts)) {
        recorder_->count_retry(request);
        return retries_.schedule(slot, now + *wait);
    }
    recorder_->count_finished(request, outcome, now);
    requests_.release(slot);
    if (is_closed_loop()) refill(connection, now);
}

/// Closed loop: the place of a request that has ended is taken by the next one.
void Run::refill(Connection& connection, Nanos now) {
    if (now >= recorder_->end()) return;
    if (connection.is_up()) {
        start_closed(connection, now);
    } else {
        ++connection.owed;
    }
}

void Run::on_up(Connection& connection) {
    if (!is_started_) {
        if (is_http()) become_free(connection);
        return;
    }
    send_backlog(connection);
    const Nanos now = now_ns();
    for (uint32_t owed = std::exchange(connection.owed, 0); owed > 0; --owed) refill(connection, now);
    if (is_http() && !is_closed_loop()) become_free(connection);
    send_waiting();
}

void Run::on_down(Connection& connection) {
    const Nanos now = now_ns();
    while (!connection.open.is_empty()) {
        const uint32_t slot = requests_.pop_front(connection.open);
        requests_[slot].is_open = false;
        --open_;
        conclude(connection, slot, {.code = kConnectionLost}, now);
    }
    // What was never sent is not lost; in an open loop another connection may take it.
    while (!is_closed_loop() && !connection.backlog.is_empty())
        requests_.push_back(waiting_, requests_.pop_front(connection.backlog));
}

void Run::on_room(Connection& connection) {
    send_backlog(connection);
}

Result<RunResult> run_load(const Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(const Corpus corpus, Corpus::open(spec.corpus));
    std::vector<SocketAddress> addresses;
    for (const std::string& text : spec.addresses) {
        RANKD_ASSIGN_OR_RETURN(SocketAddress address, resolve(text));
        addresses.push_back(std::move(address));
    }
    std::unique_ptr<Schedule> schedule;
    if (spec.mode == Mode::kOpen) schedule = std::make_unique<OpenSchedule>(spec, corpus.size());
    if (spec.mode == Mode::kReplay) {
        RANKD_ASSIGN_OR_RETURN(Recording recording, Recording::open(spec.replay_file, corpus.size()));
        schedule = std::make_unique<ReplaySchedule>(spec, std::move(recording), corpus.size());
    }
    RANKD_ASSIGN_OR_RETURN(std::unique_ptr<Protocol> protocol, make_protocol(spec, corpus, addresses));
    Run run(spec, corpus.size(), std::move(schedule), std::move(protocol), addresses);
    RANKD_ASSIGN_OR_RETURN(RunResult result, run.execute());
    if (!spec.record.empty()) {
        RANKD_RETURN_IF_ERROR(
            write_recording(spec.record, result.recorder->arrivals(), result.recorder->end() - result.recorder->begin()));
    }
    return result;
}

}  // namespace rankd::load
