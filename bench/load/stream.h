// A non-blocking socket with what was not yet written and what was not yet understood.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "socket_address.h"

namespace rankd::load {

class Stream {
  public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { close(); }

    /// Begins to connect and registers with `epoll` under `token`. @return false with errno when that fails at once
    bool open(const Endpoint& endpoint, int epoll, uint32_t token);
    /// After the first event: 0 when the connection stands, else the errno that says why not.
    int finish_connect();
    void close();
    bool is_open() const { return fd_ >= 0; }

    /// Bytes that wait for the socket. Beyond the limit callers keep their requests back, so that memory stays bounded.
    bool has_room() const { return pending() < kMaxPending; }
    size_t pending() const { return out_.size() - out_head_; }

    /// Room for `bytes` that leave with the next flush.
    uint8_t* extend(size_t bytes);
    /// Sends at once when nothing waits before; what the socket does not take is kept. @return false when broken
    bool write(std::span<const uint8_t> bytes);
    /// @return false when the connection is broken
    bool flush();

    enum class Received : uint8_t { kNothing, kBytes, kEnd, kBroken };
    /// Reads once. After kBytes `bytes` are those that were kept and the new ones; they live in `scratch` or in the stream until
    /// the next call.
    Received receive(std::span<uint8_t> scratch, std::span<const uint8_t>& bytes);
    /// Keeps what was not understood yet: the end of the bytes of the last `receive`.
    void keep(std::span<const uint8_t> bytes);

    uint64_t sent_bytes() const { return sent_bytes_; }
    uint64_t received_bytes() const { return received_bytes_; }

  private:
    static constexpr size_t kMaxPending = 256 * 1024;

    void want_write(bool wanted);
    bool take_sent(long sent, size_t& taken);

    int fd_ = -1, epoll_ = -1;
    uint32_t token_ = 0;
    bool wants_write_ = false;
    std::vector<uint8_t> out_, in_;
    size_t out_head_ = 0;
    uint64_t sent_bytes_ = 0, received_bytes_ = 0;
};

}  // namespace rankd::load
