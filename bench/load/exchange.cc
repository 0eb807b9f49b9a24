// The other half of run.h: how a request gets onto a connection, and what happens when its answer comes or its connection goes.
#include <algorithm>
#include <cmath>

#include "run.h"

namespace rankd::load {

void Run::dispatch(uint32_t slot) {
    Connection* connection = choose(requests_[slot]);
    if (connection != nullptr) return carry(*connection, slot);
    requests_.push_back(waiting_, slot);
}

/// Where a request goes: in a closed loop home, in an open one to the next connection that stands (http: that is free).
Connection* Run::choose(const Request& request) {
    if (is_closed_loop()) return &connections_[request.connection];
    return is_http() ? next_free() : next_up(request);
}

/// With addresses that take turns, of the address whose turn it was when the request was due.
Connection* Run::next_up(const Request& request) {
    const uint32_t stride = spec_.alternate_ms > 0 ? static_cast<uint32_t>(spec_.addresses.size()) : 1;
    const auto count = static_cast<uint32_t>(connections_.size());
    for (uint32_t tried = 0; tried < count && connections_.up() > 0; ++tried) {
        Connection& connection = connections_[cursor_];
        cursor_ = cursor_ + 1 == count ? 0 : cursor_ + 1;
        const bool is_its_turn = stride == 1 || connection.index % stride == request.group;
        if (connection.is_up() && is_its_turn) return &connection;
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
    Departure departure{.id = requests_.id_of(slot), .place = request.place};
    if (deadline_ > 0) {
        const double left_ms = static_cast<double>(left_of_deadline(request, now_ns())) / static_cast<double>(kMillisecond);
        departure.deadline_ms = static_cast<uint32_t>(std::max(1.0, std::round(left_ms)));
    }
    if (!protocol_->send(connection, departure)) return connections_.mark_broken(connection);
    if (!is_http()) connections_.mark_dirty(connection);
}

Nanos Run::left_of_deadline(const Request& request, Nanos now) const {
    return deadline_ > 0 ? request.intended + deadline_ - now : kForever;
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
    if (const auto wait = retries_.wait_before_next(outcome, request.attempts, left_of_deadline(request, now))) {
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

}  // namespace rankd::load
