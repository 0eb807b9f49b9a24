#include "rpc_protocol.h"

#include <algorithm>
#include <cstring>

#include "answer.h"
#include "http.h"

namespace rankd::load {
namespace {

/// From this size on a second system call costs less than copying the frame.
constexpr size_t kDirectBytes = 16 * 1024;

void take_message(Connection& connection, std::span<const uint8_t> message, uint8_t opcode, AnswerSink& sink) {
    const Answer answer = opcode == kBinary ? read_answer(message) : Answer{};
    if (!answer.is_valid) return sink.on_stray(connection);
    if (answer.is_last) sink.on_answer(connection, answer.id, answer.outcome);
}

void answer_ping(Connection& connection, std::span<const uint8_t> payload) {
    uint8_t header[kMaxFrameHeader];
    const size_t header_bytes = write_frame_header(header, kPong, payload.size());
    // Control frames are short, and a broken connection shows at the next flush.
    uint8_t* out = connection.stream.extend(header_bytes + payload.size());
    std::memcpy(out, header, header_bytes);
    if (!payload.empty()) std::memcpy(out + header_bytes, payload.data(), payload.size());
    connection.stream.flush();
}

}  // namespace

std::string RpcProtocol::greeting(const Connection& connection) const {
    return handshake_request(path_, connection.address->host);
}

Protocol::Verdict RpcProtocol::greet(Connection&, std::span<const uint8_t>& bytes, std::string& problem) {
    const size_t length = find_head_end(bytes);
    if (length == 0 && bytes.size() <= kMaxHeadBytes) return Verdict::kFine;
    const Status status = check_handshake({reinterpret_cast<const char*>(bytes.data()), length});
    problem = status.message();
    bytes = bytes.subspan(length);
    return status.is_ok() ? Verdict::kReady : Verdict::kBroken;
}

Protocol::Verdict RpcProtocol::take(Connection& connection, const Frame& frame, AnswerSink& sink) {
    MessageReader& reader = readers_[connection.index];
    switch (reader.take(frame)) {
        case MessageReader::Event::kNothing:
            return Verdict::kFine;
        case MessageReader::Event::kMessage:
            take_message(connection, reader.payload(), reader.opcode(), sink);
            return Verdict::kFine;
        case MessageReader::Event::kPing:
            answer_ping(connection, reader.payload());
            return Verdict::kFine;
        case MessageReader::Event::kClose:
            return Verdict::kBroken;
        case MessageReader::Event::kInvalid:
            break;
    }
    sink.on_stray(connection);
    return Verdict::kBroken;
}

Protocol::Verdict RpcProtocol::receive(Connection& connection, std::span<const uint8_t>& bytes, AnswerSink& sink) {
    for (;;) {
        const Frame frame = read_frame(bytes);
        if (frame.state == Frame::State::kIncomplete) return Verdict::kFine;
        if (frame.state == Frame::State::kInvalid) {
            sink.on_stray(connection);
            return Verdict::kBroken;
        }
        bytes = bytes.subspan(frame.bytes);
        if (const Verdict verdict = take(connection, frame, sink); verdict != Verdict::kFine) return verdict;
    }
}

bool RpcProtocol::send(Connection& connection, const Departure& departure) {
    const auto [id, place, deadline_ms] = departure;
    const auto image = has_deadlines_ ? images_.with_deadline(place, id, deadline_ms) : images_.with_id(place, id);
    if (image.size() >= kDirectBytes) return connection.stream.write(image);
    std::memcpy(connection.stream.extend(image.size()), image.data(), image.size());
    return true;
}

}  // namespace rankd::load
