#include "http_protocol.h"

namespace rankd::load {

/// What came is no answer; the one request that waits for it ends so, and the connection with it.
Protocol::Verdict HttpProtocol::refuse(Connection& connection, Exchange& exchange, AnswerSink& sink) {
    connection.state = ConnectionState::kRetired;
    if (exchange.is_open) {
        exchange.is_open = false;
        sink.on_answer(connection, exchange.id, {.code = kProtocol});
    } else {
        sink.on_stray(connection);
    }
    return Verdict::kBroken;
}

/// @param is_more  bytes follow the answer although nothing more was asked
Protocol::Verdict HttpProtocol::answer(Connection& connection, Exchange& exchange, bool is_more, AnswerSink& sink) {
    const HttpReader& reader = exchange.reader;
    const uint16_t status = reader.status();
    const Outcome outcome{.is_ok = status >= 200 && status < 300, .code = status, .retry_after_ms = reader.retry_after_ms()};
    // Before the answer is told: it may bring the next request onto this connection.
    if (reader.is_last() || is_more) connection.state = ConnectionState::kRetired;
    exchange.is_open = false;
    sink.on_answer(connection, exchange.id, outcome);
    if (is_more) return refuse(connection, exchange, sink);
    return connection.state == ConnectionState::kRetired ? Verdict::kRetired : Verdict::kFine;
}

Protocol::Verdict HttpProtocol::receive(Connection& connection, std::span<const uint8_t>& bytes, AnswerSink& sink) {
    Exchange& exchange = exchanges_[connection.index];
    if (!exchange.is_open) return refuse(connection, exchange, sink);
    switch (exchange.reader.read(bytes)) {
        case HttpReader::Event::kNeedMore:
            return Verdict::kFine;
        case HttpReader::Event::kAnswer:
            return answer(connection, exchange, !bytes.empty(), sink);
        case HttpReader::Event::kInvalid:
            break;
    }
    return refuse(connection, exchange, sink);
}

void HttpProtocol::end(Connection& connection, AnswerSink& sink) {
    Exchange& exchange = exchanges_[connection.index];
    if (exchange.is_open && exchange.reader.end() == HttpReader::Event::kAnswer) answer(connection, exchange, false, sink);
}

bool HttpProtocol::send(Connection& connection, const Departure& departure) {
    Exchange& exchange = exchanges_[connection.index];
    exchange.id = departure.id;
    exchange.is_open = true;
    return connection.stream.write(images_[connection.index % images_.size()][departure.place]);
}

}  // namespace rankd::load
