#include "websocket.h"

#include <random>
#include <string>
#include <vector>

#include "tests/test.h"

namespace rankd::load {
namespace {

using Bytes = std::vector<uint8_t>;
using Event = MessageReader::Event;

/// A frame as a server sends it: not masked.
Bytes server_frame(uint8_t first, size_t payload_bytes, uint8_t fill = 'x') {
    Bytes frame;
    frame.reserve(payload_bytes + 10);  // GCC 12 otherwise sees copies beyond the end
    frame.push_back(first);
    if (payload_bytes < 126) {
        frame.push_back(static_cast<uint8_t>(payload_bytes));
    } else {
        const size_t length_bytes = payload_bytes < 65'536 ? 2 : 8;
        frame.push_back(length_bytes == 2 ? 126 : 127);
        for (size_t i = length_bytes; i-- > 0;) frame.push_back(static_cast<uint8_t>(payload_bytes >> (8 * i)));
    }
    frame.insert(frame.end(), payload_bytes, fill);
    return frame;
}

TEST("a client frame says its length in the smallest form and masks with zero") {
    uint8_t header[kMaxFrameHeader];
    CHECK_EQ(write_frame_header(header, kBinary, 125), size_t{6});
    CHECK_EQ(int{header[0]}, 0x82);
    CHECK_EQ(int{header[1]}, 0x80 | 125);
    CHECK_EQ(write_frame_header(header, kBinary, 126), size_t{8});
    CHECK_EQ(int{header[1]}, 0x80 | 126);
    CHECK_EQ(write_frame_header(header, kBinary, 65'536), size_t{14});
    CHECK_EQ(int{header[1]}, 0x80 | 127);
    CHECK_EQ(int{header[7]}, 1);
    for (size_t i = 10; i < 14; ++i) CHECK_EQ(int{header[i]}, 0);
}

TEST("frames of every length form are found whole, and only when their last byte is there") {
    for (const size_t size : {0, 1, 125, 126, 65'535, 65'536, 200'000}) {
        const Bytes bytes = server_frame(0x82, size);
        for (size_t have = 0; have < bytes.size(); have += have < 20 ? 1 : 4'096) {
            CHECK(read_frame({bytes.data(), have}).state == Frame::State::kIncomplete);
        }
        const Frame frame = read_frame(bytes);
        CHECK(frame.state == Frame::State::kWhole);
        CHECK_EQ(frame.payload.size(), size);
        CHECK_EQ(frame.bytes, bytes.size());
        CHECK(frame.is_final);
    }
}

TEST("frames that no server may send are invalid") {
    const Bytes broken[] = {
        {0xc2, 0},                                                    // a reserved bit
        {0x82, 0x80, 0, 0, 0, 0},                                     // masked
        {0x83, 0},                                                    // an unknown operation
        {0x8b, 0},                                                    // an unknown control operation
        {0x09, 0},                                                    // a ping in fragments
        {0x89, 126, 0, 126},                                          // a ping of 126 bytes
        {0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},  // more bytes than there are
        {0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0},                       // larger than any answer
    };
    for (const Bytes& bytes : broken) CHECK(read_frame(bytes).state == Frame::State::kInvalid);
}

TEST("fragments make one message, and control frames may stand between them") {
    MessageReader reader;
    CHECK(reader.take(read_frame(server_frame(0x02, 3, 'a'))) == Event::kNothing);
    const Bytes ping = server_frame(0x89, 2, 'p');
    CHECK(reader.take(read_frame(ping)) == Event::kPing);
    CHECK_EQ(reader.payload().size(), size_t{2});
    CHECK(reader.take(read_frame(server_frame(0x00, 2, 'b'))) == Event::kNothing);
    CHECK(reader.take(read_frame(server_frame(0x80, 1, 'c'))) == Event::kMessage);
    CHECK_EQ(std::string(reader.payload().begin(), reader.payload().end()), std::string("aaabbc"));
    CHECK_EQ(int{reader.opcode()}, int{kBinary});
}

TEST("a continuation of nothing, and a message within a message, are invalid") {
    MessageReader lonely;
    CHECK(lonely.take(read_frame(server_frame(0x80, 1))) == Event::kInvalid);
    MessageReader nested;
    CHECK(nested.take(read_frame(server_frame(0x02, 1))) == Event::kNothing);
    CHECK(nested.take(read_frame(server_frame(0x82, 1))) == Event::kInvalid);
    nested.reset();
    CHECK(nested.take(read_frame(server_frame(0x82, 1))) == Event::kMessage);
}

TEST("fragments without end are cut off") {
    MessageReader reader;
    const Bytes first = server_frame(0x02, 1 << 20), more = server_frame(0x00, 1 << 20);
    Event event = reader.take(read_frame(first));
    for (int i = 0; i < 63 && event == Event::kNothing; ++i) event = reader.take(read_frame(more));
    CHECK(event == Event::kNothing);
    CHECK(reader.take(read_frame(more)) == Event::kInvalid);
}

TEST("a close frame ends, a pong says nothing") {
    MessageReader reader;
    CHECK(reader.take(read_frame(server_frame(0x8a, 0))) == Event::kNothing);
    CHECK(reader.take(read_frame(server_frame(0x88, 2))) == Event::kClose);
}

TEST("random bytes never lead out of the buffer") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes(random() % 40);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
        MessageReader reader;
        std::span<const uint8_t> rest = bytes;
        for (Frame frame = read_frame(rest); frame.state == Frame::State::kWhole; frame = read_frame(rest)) {
            CHECK(frame.bytes <= rest.size());
            reader.take(frame);
            rest = rest.subspan(frame.bytes);
        }
    }
}

TEST("a handshake is refused with its reason") {
    const std::string good =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    CHECK_OK(check_handshake(good));
    CHECK(handshake_request("/rpc", "a:1").find("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") != std::string::npos);
    const auto problem = [](const std::string& head) { return check_handshake(head).message(); };
    CHECK_EQ(problem("HTTP/1.1 404 Not Found\r\n\r\n"), std::string("no WebSocket: the upgrade was answered with status 404"));
    CHECK_EQ(problem("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: another\r\n\r\n"),
             std::string("no WebSocket: Sec-WebSocket-Accept is not the answer to our key"));
    CHECK_EQ(problem("SSH-2.0-OpenSSH\r\n\r\n"), std::string("no WebSocket: the answer to the upgrade request is no HTTP"));
    CHECK(!check_handshake("").is_ok());
}

}  // namespace
}  // namespace rankd::load
