// Request frames over WebSocket, as many outstanding as one likes.
#pragma once

#include "protocol.h"
#include "websocket.h"

namespace rankd::load {

class RpcProtocol final : public Protocol {
  public:
    RpcProtocol(const Spec& spec, Images images)
        : path_(spec.path), images_(std::move(images)), has_deadlines_(spec.deadline_ms > 0), readers_(spec.connections) {}

    std::string greeting(const Connection& connection) const override;
    void reset(const Connection& connection) override { readers_[connection.index].reset(); }
    Verdict greet(Connection& connection, std::span<const uint8_t>& bytes, std::string& problem) override;
    Verdict receive(Connection& connection, std::span<const uint8_t>& bytes, AnswerSink& sink) override;
    void end(Connection&, AnswerSink&) override {}
    bool send(Connection& connection, const Departure& departure) override;

  private:
    Verdict take(Connection& connection, const Frame& frame, AnswerSink& sink);

    std::string path_;
    Images images_;
    bool has_deadlines_;
    std::vector<MessageReader> readers_;
};

}  // namespace rankd::load
