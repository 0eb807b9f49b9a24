// All connections of a run on one epoll: brings them up, reads, writes, and brings them up again when they are lost.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "clock.h"
#include "connection.h"
#include "protocol.h"

namespace rankd::load {

/// Who hears of connections that come and go.
class ConnectionEvents : public AnswerSink {
  public:
    virtual void on_up(Connection& connection) = 0;
    /// Its open requests are lost; the socket is closed already.
    virtual void on_down(Connection& connection) = 0;
    /// The socket has taken what waited for it.
    virtual void on_room(Connection& connection) = 0;
};

class Connections {
  public:
    Connections(const std::vector<SocketAddress>& addresses, uint32_t count, Protocol& protocol, ConnectionEvents& events);
    ~Connections();
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    /// Connects all of them and waits until each is ready. @return CONNECTION_LOST with the address and the reason
    Status connect_all();

    /// Waits up to `timeout_ms` for events and handles them. @return how many sockets had some
    int poll(int timeout_ms);
    /// Sends what the turn has gathered.
    void flush();
    /// Connects again those whose time has come.
    void revive(Nanos now);
    /// When the next connection wants to come back; INT64_MAX when none is down.
    Nanos next_revival() const;

    /// To be called when sending on a connection has failed; it is taken down at the end of the turn.
    void mark_broken(Connection& connection);
    void mark_dirty(Connection& connection);
    /// An answer came: the next loss is a first one again.
    void mark_healthy(Connection& connection) { connection.failures = 0; }

    Connection& operator[](size_t index) { return all_[index]; }
    size_t size() const { return all_.size(); }
    size_t up() const { return up_; }
    /// Since when the bytes being handled were in our hands.
    Nanos received_at() const { return received_at_; }
    /// When the last poll came back.
    Nanos polled_at() const { return polled_at_; }
    uint64_t sent_bytes() const;
    uint64_t received_bytes() const;

  private:
    void begin(Connection& connection, Nanos now);
    void handle(Connection& connection, uint32_t events);
    void finish_connect(Connection& connection);
    void read(Connection& connection);
    void apply(Connection& connection, Protocol::Verdict verdict, const std::string& problem);
    void come_up(Connection& connection);
    void fail(Connection& connection, const std::string& problem);
    void take_down_broken();

    std::vector<Connection> all_;
    std::vector<uint8_t> scratch_;
    Protocol& protocol_;
    ConnectionEvents& events_;
    int epoll_;
    size_t up_ = 0;
    Nanos received_at_ = 0, polled_at_ = 0;
    std::vector<uint32_t> dirty_, broken_, down_;
    std::string problem_;  ///< why the last connection failed
    bool is_refused_ = false;
};

}  // namespace rankd::load
