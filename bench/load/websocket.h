// The client's half of WebSocket (RFC 6455): the handshake, frame headers, and an incremental reader of what a server sends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::load {

enum Opcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

constexpr size_t kMaxFrameHeader = 14;
/// Larger than any answer of a server under measurement; a longer message is taken for garbage.
constexpr size_t kMaxMessageBytes = size_t{64} << 20;

/// Writes the header of a final client frame and returns its length. The mask key is 0, which leaves the payload as it is:
/// masking protects proxies, and there is none between a generator and its server.
size_t write_frame_header(uint8_t* out, Opcode opcode, size_t payload_bytes);

/// The upgrade request.
std::string handshake_request(std::string_view path, std::string_view host);

/// Checks the head of the server's answer, up to and including the empty line.
Status check_handshake(std::string_view head);

/// A frame found at the start of some bytes.
struct Frame {
    enum class State : uint8_t { kIncomplete, kInvalid, kWhole };
    State state = State::kIncomplete;
    bool is_final = false;
    uint8_t opcode = 0;
    std::span<const uint8_t> payload;
    size_t bytes = 0;  ///< header and payload
};
Frame read_frame(std::span<const uint8_t> bytes);

/// Puts messages together from frames. Holds memory only while a message is in fragments.
class MessageReader {
  public:
    enum class Event : uint8_t { kNothing, kMessage, kPing, kClose, kInvalid };

    /// Takes a whole frame. After kMessage and kPing `payload()` is valid until the next call.
    Event take(const Frame& frame);
    std::span<const uint8_t> payload() const { return payload_; }
    uint8_t opcode() const { return opcode_; }
    void reset();

  private:
    Event take_control(const Frame& frame);

    std::vector<uint8_t> fragments_;
    std::span<const uint8_t> payload_;
    uint8_t opcode_ = 0;
    bool is_fragmented_ = false;
};

}  // namespace rankd::load
