#include "websocket.h"

#include "http.h"

namespace rankd::load {
namespace {

/// The nonce keeps caches of intermediaries honest; there is none here, so the key of RFC 6455, section 1.3, and its known answer
/// serve, without a SHA-1 of our own.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr size_t kMaxControlBytes = 125;
constexpr uint8_t kFinal = 0x80, kReserved = 0x70, kMasked = 0x80;

bool is_control(uint8_t opcode) {
    return opcode >= kClose;
}

bool is_known(uint8_t opcode) {
    return opcode <= kBinary || (opcode >= kClose && opcode <= kPong);
}

uint64_t read_big_endian(const uint8_t* at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | at[i];
    return value;
}

}  // namespace

size_t write_frame_header(uint8_t* out, Opcode opcode, size_t payload_bytes) {
    out[0] = kFinal | opcode;
    size_t length_bytes = 0;
    if (payload_bytes < 126) {
        out[1] = static_cast<uint8_t>(kMasked | payload_bytes);
    } else {
        length_bytes = payload_bytes <= 0xffff ? 2 : 8;
        out[1] = kMasked | (length_bytes == 2 ? 126 : 127);
        for (size_t i = 0; i < length_bytes; ++i)
            out[2 + i] = static_cast<uint8_t>(payload_bytes >> (8 * (length_bytes - 1 - i)));
    }
    for (size_t i = 0; i < 4; ++i) out[2 + length_bytes + i] = 0;  // the mask key
    return 6 + length_bytes;
}

std::string handshake_request(std::string_view path, std::string_view host) {
    std::string request = "GET ";
    request.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
    request.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
        .append(kKey);
    return request.append("\r\n\r\n");
}

Status check_handshake(std::string_view head) {
    const HttpHead parsed = parse_http_head(head);
    const auto refuse = [](const std::string& what) { return Status(Code::INVALID_FRAME, "no WebSocket: " + what); };
    if (!parsed.is_valid) return refuse("the answer to the upgrade request is no HTTP");
    if (parsed.status != 101) return refuse("the upgrade was answered with status " + std::to_string(parsed.status));
    if (parsed.websocket_accept != kAccept) return refuse("Sec-WebSocket-Accept is not the answer to our key");
    return Status::ok();
}

Frame read_frame(std::span<const uint8_t> bytes) {
    Frame frame;
    if (bytes.size() < 2) return frame;
    frame.is_final = (bytes[0] & kFinal) != 0;
    frame.opcode = bytes[0] & 0x0f;
    const uint8_t short_length = bytes[1] & 0x7f;
    const bool is_broken_control = is_control(frame.opcode) && (!frame.is_final || short_length > kMaxControlBytes);
    // No extension was negotiated, and servers do not mask.
    if ((bytes[0] & kReserved) != 0 || (bytes[1] & kMasked) != 0 || !is_known(frame.opcode) || is_broken_control) {
        frame.state = Frame::State::kInvalid;
        return frame;
    }
    const size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
    if (bytes.size() < 2 + length_bytes) return frame;
    const uint64_t length = length_bytes == 0 ? short_length : read_big_endian(bytes.data() + 2, length_bytes);
    if (length > kMaxMessageBytes) {
        frame.state = Frame::State::kInvalid;
        return frame;
    }
    frame.bytes = 2 + length_bytes + static_cast<size_t>(length);
    if (bytes.size() < frame.bytes) return frame;
    frame.payload = bytes.subspan(2 + length_bytes, static_cast<size_t>(length));
    frame.state = Frame::State::kWhole;
    return frame;
}

MessageReader::Event MessageReader::take_control(const Frame& frame) {
    payload_ = frame.payload;
    if (frame.opcode == kPing) return Event::kPing;
    return frame.opcode == kClose ? Event::kClose : Event::kNothing;
}

MessageReader::Event MessageReader::take(const Frame& frame) {
    if (is_control(frame.opcode)) return take_control(frame);
    if (is_fragmented_ != (frame.opcode == kContinuation)) return Event::kInvalid;
    if (!is_fragmented_) opcode_ = frame.opcode;
    if (!is_fragmented_ && frame.is_final) {
        payload_ = frame.payload;
        return Event::kMessage;
    }
    if (!is_fragmented_) fragments_.clear();
    if (fragments_.size() + frame.payload.size() > kMaxMessageBytes) return Event::kInvalid;
    fragments_.insert(fragments_.end(), frame.payload.begin(), frame.payload.end());
    is_fragmented_ = !frame.is_final;
    payload_ = fragments_;
    return frame.is_final ? Event::kMessage : Event::kNothing;
}

void MessageReader::reset() {
    fragments_.clear();
    is_fragmented_ = false;
}

}  // namespace rankd::load
