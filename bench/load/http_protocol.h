// Keep-alive HTTP/1.1, one request outstanding per connection.
#pragma once

#include "http.h"
#include "protocol.h"

namespace rankd::load {

class HttpProtocol final : public Protocol {
  public:
    /// @param images  one per address, in the order of `addresses`: the Host header tells them apart
    HttpProtocol(const Spec& spec, std::vector<Images> images) : images_(std::move(images)), exchanges_(spec.connections) {}

    std::string greeting(const Connection&) const override { return {}; }
    void reset(const Connection& connection) override { exchanges_[connection.index] = {}; }
    Verdict greet(Connection&, std::span<const uint8_t>&, std::string&) override { return Verdict::kReady; }
    Verdict receive(Connection& connection, std::span<const uint8_t>& bytes, AnswerSink& sink) override;
    void end(Connection& connection, AnswerSink& sink) override;
    bool send(Connection& connection, const Departure& departure) override;

  private:
    struct Exchange {
        HttpReader reader;
        uint32_t id = 0;
        bool is_open = false;
    };
    Verdict answer(Connection& connection, Exchange& exchange, bool is_more, AnswerSink& sink);
    Verdict refuse(Connection& connection, Exchange& exchange, AnswerSink& sink);

    std::vector<Images> images_;
    std::vector<Exchange> exchanges_;
};

}  // namespace rankd::load
