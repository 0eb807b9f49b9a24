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
      deadline_(to_nanos(spec.deadline_ms / 1000)),
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
    give_up_ = end + to_nanos(spec_.linger_seconds);
    recorder_ = std::make_unique<Recorder>(begin, end, to_nanos(spec_.interval_ms / 1000));
    recorder_->tell_groups_apart(count_groups(spec_));
    if (deadline_ > 0) recorder_->set_deadline(deadline_);
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
    if (now >= give_up_) return true;
    return now >= recorder_->end() && !next_ && recorder_->open() == 0;
}

int Run::wait_ms(Nanos now) const {
    if (open_ > 0 && now - last_activity_ < kKeepAsking) return 0;
    Nanos next = now < recorder_->end() ? recorder_->end() : give_up_;
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
    request.group = group_of(intended, place);
    request.is_measured = is_measured;
    request.connection = home;
    recorder_->count_intended(request);
    dispatch(slot);
}

uint8_t Run::group_of(Nanos intended, uint32_t place) const {
    if (spec_.alternate_ms == 0) return spec_.groups.empty() ? 0 : spec_.groups[place];
    const Nanos turn = (intended - start_) / to_nanos(spec_.alternate_ms / 1000);
    return static_cast<uint8_t>(turn % static_cast<Nanos>(spec_.addresses.size()));
}

void Run::start_closed(Connection& connection, Nanos now) {
    const bool is_measured = now >= recorder_->begin();
    if (is_measured && !closed_was_measured_) closed_count_ = 0;
    closed_was_measured_ = is_measured;
    start_request(now, static_cast<uint32_t>(closed_count_++ % corpus_size_), is_measured, connection.index);
}

Result<RunResult> run_load(const Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(const Corpus corpus, Corpus::open(spec.corpus));
    if (!spec.groups.empty() && spec.groups.size() != corpus.size()) {
        return Status(Code::INVALID_ARGUMENT, "groups: expected one for each of the " + std::to_string(corpus.size()) +
                                                  " entries of the corpus, got " + std::to_string(spec.groups.size()));
    }
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
