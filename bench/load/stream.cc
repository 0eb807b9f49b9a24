#include "stream.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rankd::load {
namespace {

void register_with(int epoll, int operation, int fd, uint32_t events, uint32_t token) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = token;
    epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

bool Stream::open(const Endpoint& endpoint, int epoll, uint32_t token) {
    close();
    fd_ = begin_connect(endpoint);
    if (fd_ < 0) return false;
    epoll_ = epoll;
    token_ = token;
    wants_write_ = true;  // becoming writable says that the connection stands
    register_with(epoll_, EPOLL_CTL_ADD, fd_, EPOLLIN | EPOLLOUT, token_);
    return true;
}

int Stream::finish_connect() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) want_write(false);
    return error;
}

void Stream::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    out_.clear();
    out_head_ = 0;
    in_.clear();
}

void Stream::want_write(bool wanted) {
    if (wanted == wants_write_) return;
    wants_write_ = wanted;
    register_with(epoll_, EPOLL_CTL_MOD, fd_, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, token_);
}

/// Reads the result of a send. @return false when the connection is broken
bool Stream::take_sent(long sent, size_t& taken) {
    taken = sent > 0 ? static_cast<size_t>(sent) : 0;
    sent_bytes_ += taken;
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

uint8_t* Stream::extend(size_t bytes) {
    const size_t at = out_.size();
    out_.resize(at + bytes);
    return out_.data() + at;
}

bool Stream::write(std::span<const uint8_t> bytes) {
    size_t taken = 0;
    if (pending() == 0) {
        if (!take_sent(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), taken)) return false;
        if (taken == bytes.size()) return true;
        want_write(true);
    }
    out_.insert(out_.end(), bytes.begin() + static_cast<long>(taken), bytes.end());
    return true;
}

bool Stream::flush() {
    size_t taken = 0;
    if (pending() > 0 && !take_sent(send(fd_, out_.data() + out_head_, pending(), MSG_NOSIGNAL), taken)) return false;
    out_head_ += taken;
    if (pending() == 0) {
        out_.clear();
        out_head_ = 0;
    } else if (out_head_ >= kMaxPending) {
        out_.erase(out_.begin(), out_.begin() + static_cast<long>(out_head_));
        out_head_ = 0;
    }
    want_write(pending() > 0);
    return true;
}

Stream::Received Stream::receive(std::span<uint8_t> scratch, std::span<const uint8_t>& bytes) {
    const long count = recv(fd_, scratch.data(), scratch.size(), 0);
    if (count == 0) return Received::kEnd;
    if (count < 0) return errno == EAGAIN || errno == EINTR ? Received::kNothing : Received::kBroken;
    received_bytes_ += static_cast<size_t>(count);
    bytes = scratch.first(static_cast<size_t>(count));
    if (!in_.empty()) {
        in_.insert(in_.end(), bytes.begin(), bytes.end());
        bytes = in_;
    }
    return Received::kBytes;
}

void Stream::keep(std::span<const uint8_t> bytes) {
    if (in_.empty()) {
        in_.assign(bytes.begin(), bytes.end());
    } else {
        in_.erase(in_.begin(), in_.end() - static_cast<long>(bytes.size()));
    }
}

}  // namespace rankd::load
