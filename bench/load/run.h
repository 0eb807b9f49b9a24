// One run: a single thread that sends what is due, reads what came, and counts.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "connections.h"
#include "corpus.h"
#include "lateness.h"
#include "recorder.h"
#include "requests.h"
#include "retry.h"
#include "schedule.h"
#include "spec.h"

namespace rankd::load {

/// What a run has counted.
struct RunResult {
    std::unique_ptr<Recorder> recorder;
    uint64_t sent_bytes = 0, received_bytes = 0;
    double utilisation = 0;
};

/// Runs a spec to its end. @return INVALID_ARGUMENT for a corpus or recording that does not fit, CONNECTION_LOST when the server
/// cannot be reached, LIMIT_EXCEEDED when it leaves too much unanswered
Result<RunResult> run_load(const Spec& spec);

class Run final : public ConnectionEvents {
  public:
    /// @param schedule  null in a closed loop
    Run(const Spec& spec, uint32_t corpus_size, std::unique_ptr<Schedule> schedule, std::unique_ptr<Protocol> protocol,
        const std::vector<SocketAddress>& addresses);

    Result<RunResult> execute();

    void on_answer(Connection& connection, uint64_t id, const Outcome& outcome) override;
    void on_stray(Connection& connection) override;
    void on_up(Connection& connection) override;
    void on_down(Connection& connection) override;
    void on_room(Connection& connection) override;

  private:
    void start();
    bool turn();
    bool send_due(Nanos now);
    void send_arrivals(Nanos now);
    void take_next_arrival();
    bool is_over(Nanos now) const;
    int wait_ms(Nanos now) const;
    void count_rest();

    void start_request(Nanos intended, uint32_t place, bool is_measured, uint32_t home);
    uint8_t group_of(Nanos intended, uint32_t place) const;
    void start_closed(Connection& connection, Nanos now);
    void dispatch(uint32_t slot);
    Connection* choose(const Request& request);
    Connection* next_up(const Request& request);
    Connection* next_free();
    void carry(Connection& connection, uint32_t slot);
    void transmit(Connection& connection, uint32_t slot);
    Nanos left_of_deadline(const Request& request, Nanos now) const;
    void send_backlog(Connection& connection);
    void send_waiting();
    void conclude(Connection& connection, uint32_t slot, const Outcome& outcome, Nanos now);
    void refill(Connection& connection, Nanos now);
    void become_free(Connection& connection);
    bool is_closed_loop() const { return schedule_ == nullptr; }
    bool is_http() const { return spec_.transport == Transport::kHttp; }

    const Spec& spec_;
    uint32_t corpus_size_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<Protocol> protocol_;
    Requests requests_;
    Retries retries_;
    Connections connections_;
    std::unique_ptr<Recorder> recorder_;

    Nanos start_ = 0, give_up_ = 0;
    Nanos deadline_;  ///< of each request, from its intended send; 0 = none
    bool is_started_ = false, is_exhausted_ = false;
    std::optional<Arrival> next_;
    Lateness lateness_;
    RequestList waiting_;         ///< open loop: no connection could take them yet
    std::vector<uint32_t> free_;  ///< http, open loop: a ring of idle connections
    size_t free_head_ = 0, free_size_ = 0;
    uint32_t cursor_ = 0;  ///< the connection whose turn it is
    uint64_t closed_count_ = 0;
    bool closed_was_measured_ = false;
    uint64_t open_ = 0;  ///< requests on the wire
    Nanos last_activity_ = 0, useful_ = 0;
    uint64_t sent_before_ = 0, received_before_ = 0;
    bool is_measuring_ = false;
};

}  // namespace rankd::load
