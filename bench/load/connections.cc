#include "connections.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rankd::load {
namespace {

constexpr size_t kScratchBytes = 256 * 1024;
constexpr int kEventsPerPoll = 256;
constexpr Nanos kConnectTimeout = 10 * kSecond;
constexpr Nanos kFirstBackoff = 10 * kMillisecond;
constexpr Nanos kLongestBackoff = kSecond;
constexpr uint32_t kMostDoublings = 7;

/// A first loss is mended at once: servers close idle connections as they please.
Nanos backoff_after(uint32_t failures) {
    if (failures <= 1) return failures * kMillisecond;
    return std::min(kFirstBackoff << std::min(failures - 2, kMostDoublings), kLongestBackoff);
}

/// A full backlog passes; anything else at the start is a wrong address or a server that is not there.
bool is_passing(int error) {
    return error == EAGAIN || error == EINTR || error == EADDRNOTAVAIL;
}

}  // namespace

Connections::Connections(const std::vector<SocketAddress>& addresses, uint32_t count, Protocol& protocol,
                         ConnectionEvents& events)
    : all_(count), scratch_(kScratchBytes), protocol_(protocol), events_(events), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (uint32_t i = 0; i < count; ++i) {
        all_[i].index = i;
        all_[i].address = &addresses[i % addresses.size()];
    }
    dirty_.reserve(count);
    broken_.reserve(count);
    down_.reserve(count);
}

Connections::~Connections() {
    for (Connection& connection : all_) connection.stream.close();
    close(epoll_);
}

Status Connections::connect_all() {
    const Nanos give_up = now_ns() + kConnectTimeout;
    for (Connection& connection : all_) begin(connection, now_ns());
    while (up_ < all_.size()) {
        poll(1);
        revive(now_ns());
        if (is_refused_) return Status(Code::CONNECTION_LOST, problem_);
        if (now_ns() < give_up) continue;
        return Status(Code::CONNECTION_LOST, std::to_string(all_.size() - up_) + " of " + std::to_string(all_.size()) +
                                                 " connections were not ready within 10 s" +
                                                 (problem_.empty() ? "" : "; " + problem_));
    }
    return Status::ok();
}

void Connections::begin(Connection& connection, Nanos now) {
    const auto& endpoints = connection.address->endpoints;
    const Endpoint& endpoint = endpoints[connection.attempts++ % endpoints.size()];
    protocol_.reset(connection);
    if (connection.stream.open(endpoint, epoll_, connection.index)) {
        connection.state = ConnectionState::kConnecting;
        return;
    }
    is_refused_ |= !is_passing(errno) && connection.attempts >= endpoints.size();
    problem_ = connection.address->text + ": " + std::strerror(errno);
    connection.revive_at = now + backoff_after(++connection.failures);
    down_.push_back(connection.index);
}

void Connections::fail(Connection& connection, const std::string& problem) {
    problem_ = connection.address->text + ": " + problem;
    is_refused_ |= connection.attempts >= connection.address->endpoints.size();
    if (connection.state == ConnectionState::kRetired) connection.state = ConnectionState::kUp;  // a failure: it comes back later
    mark_broken(connection);
}

void Connections::mark_broken(Connection& connection) {
    if (connection.is_broken) return;
    connection.is_broken = true;
    broken_.push_back(connection.index);
}

void Connections::mark_dirty(Connection& connection) {
    if (connection.is_dirty) return;
    connection.is_dirty = true;
    dirty_.push_back(connection.index);
}

void Connections::finish_connect(Connection& connection) {
    if (const int error = connection.stream.finish_connect(); error != 0) return fail(connection, std::strerror(error));
    const std::string greeting = protocol_.greeting(connection);
    if (greeting.empty()) return come_up(connection);
    connection.state = ConnectionState::kGreeting;
    const auto* bytes = reinterpret_cast<const uint8_t*>(greeting.data());
    if (!connection.stream.write({bytes, greeting.size()})) fail(connection, std::strerror(errno));
}

void Connections::come_up(Connection& connection) {
    connection.state = ConnectionState::kUp;
    ++up_;
    events_.on_up(connection);
}

void Connections::apply(Connection& connection, Protocol::Verdict verdict, const std::string& problem) {
    switch (verdict) {
        case Protocol::Verdict::kFine:
            return;
        case Protocol::Verdict::kReady:
            return come_up(connection);
        case Protocol::Verdict::kRetired:
            connection.failures = 0;
            return mark_broken(connection);
        case Protocol::Verdict::kBroken:
            return fail(connection, problem);
    }
}

void Connections::read(Connection& connection) {
    std::span<const uint8_t> bytes;
    const Stream::Received received = connection.stream.receive(scratch_, bytes);
    received_at_ = now_ns();
    if (received == Stream::Received::kNothing) return;
    if (received != Stream::Received::kBytes) {
        const bool was_greeting = connection.state == ConnectionState::kGreeting;
        if (received == Stream::Received::kEnd) protocol_.end(connection, events_);
        if (connection.state == ConnectionState::kRetired) return mark_broken(connection);
        return fail(connection, was_greeting ? "closed before the handshake ended" : "closed by the server");
    }
    std::string problem;
    if (connection.state == ConnectionState::kGreeting) {
        apply(connection, protocol_.greet(connection, bytes, problem), problem);
    }
    if (connection.is_up() && !bytes.empty())
        apply(connection, protocol_.receive(connection, bytes, events_), "broke the protocol");
    connection.stream.keep(bytes);
}

void Connections::handle(Connection& connection, uint32_t events) {
    // An earlier event of this turn may have broken it.
    if (connection.is_broken || !connection.stream.is_open()) return;
    if (connection.state == ConnectionState::kConnecting) return finish_connect(connection);
    if ((events & EPOLLOUT) != 0) {
        if (!connection.stream.flush()) return mark_broken(connection);
        if (connection.is_up() && connection.stream.has_room()) events_.on_room(connection);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(connection);
}

int Connections::poll(int timeout_ms) {
    std::array<epoll_event, kEventsPerPoll> events;
    const int count = epoll_wait(epoll_, events.data(), kEventsPerPoll, timeout_ms);
    if (count <= 0 && timeout_ms == 0) return 0;
    polled_at_ = now_ns();
    for (int i = 0; i < count; ++i) handle(all_[events[static_cast<size_t>(i)].data.u32], events[static_cast<size_t>(i)].events);
    flush();
    return std::max(count, 0);
}

void Connections::flush() {
    // Room that this makes is used at once, and may make a connection dirty again: the list grows while it is walked.
    for (size_t i = 0; i < dirty_.size(); ++i) {
        Connection& connection = all_[dirty_[i]];
        connection.is_dirty = false;
        if (connection.is_broken || !connection.stream.is_open()) continue;
        if (!connection.stream.flush()) {
            mark_broken(connection);
        } else if (!connection.backlog.is_empty() && connection.is_up() && connection.stream.has_room()) {
            events_.on_room(connection);
        }
    }
    dirty_.clear();
    take_down_broken();
}

void Connections::take_down_broken() {
    const Nanos now = broken_.empty() ? 0 : now_ns();
    for (const uint32_t index : broken_) {
        Connection& connection = all_[index];
        const bool was_up = connection.state == ConnectionState::kUp || connection.state == ConnectionState::kRetired;
        const bool is_retired = connection.state == ConnectionState::kRetired;
        if (was_up) --up_;
        connection.stream.close();
        connection.state = ConnectionState::kDown;
        connection.is_broken = false;
        connection.revive_at = is_retired ? now : now + backoff_after(++connection.failures);
        down_.push_back(index);
        if (was_up) events_.on_down(connection);
    }
    broken_.clear();
}

void Connections::revive(Nanos now) {
    for (size_t i = 0; i < down_.size();) {
        Connection& connection = all_[down_[i]];
        if (connection.revive_at > now) {
            ++i;
            continue;
        }
        down_[i] = down_.back();
        down_.pop_back();
        begin(connection, now);
    }
}

Nanos Connections::next_revival() const {
    Nanos next = INT64_MAX;
    for (const uint32_t index : down_) next = std::min(next, all_[index].revive_at);
    return next;
}

uint64_t Connections::sent_bytes() const {
    uint64_t sum = 0;
    for (const Connection& connection : all_) sum += connection.stream.sent_bytes();
    return sum;
}

uint64_t Connections::received_bytes() const {
    uint64_t sum = 0;
    for (const Connection& connection : all_) sum += connection.stream.received_bytes();
    return sum;
}

}  // namespace rankd::load
