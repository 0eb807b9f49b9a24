#include "http.h"

#include <random>
#include <string>
#include <vector>

#include "tests/test.h"

namespace rankd::load {
namespace {

using Event = HttpReader::Event;

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

struct Read {
    Event event;
    size_t left;
    uint16_t status;
    bool is_last;
    uint32_t retry_after_ms;
};

Read read_at_once(std::string_view text) {
    HttpReader reader;
    std::span<const uint8_t> bytes = bytes_of(text);
    const Event event = reader.read(bytes);
    return {event, bytes.size(), reader.status(), reader.is_last(), reader.retry_after_ms()};
}

/// Byte by byte, as a slow network delivers; unconsumed bytes are offered again. @return after how many bytes the answer was
/// whole
size_t read_slowly(std::string_view text) {
    HttpReader reader;
    std::string kept;
    for (size_t i = 0; i < text.size(); ++i) {
        kept.push_back(text[i]);
        std::span<const uint8_t> bytes = bytes_of(kept);
        const Event event = reader.read(bytes);
        if (event == Event::kAnswer) return i + 1;
        if (event == Event::kInvalid) return 0;
        kept.erase(0, kept.size() - bytes.size());
    }
    return 0;
}

const std::string kPlain = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n";

TEST("an answer with a length ends with its last byte, at once or byte by byte") {
    const Read read = read_at_once(kPlain + "next");
    CHECK(read.event == Event::kAnswer);
    CHECK_EQ(read.left, size_t{4});
    CHECK_EQ(read.status, 200);
    CHECK(!read.is_last);
    CHECK_EQ(read_slowly(kPlain), kPlain.size());
}

TEST("an answer in chunks ends behind its trailers") {
    CHECK(read_at_once(kChunked + "zz").event == Event::kAnswer);
    CHECK_EQ(read_at_once(kChunked + "zz").left, size_t{2});
    CHECK_EQ(read_slowly(kChunked), kChunked.size());
}

TEST("answers without a body end with their head") {
    CHECK(read_at_once("HTTP/1.1 204 No Content\r\n\r\n").event == Event::kAnswer);
    CHECK(read_at_once("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n").event == Event::kAnswer);
    CHECK(read_at_once("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").event == Event::kAnswer);
}

TEST("interim answers are passed over") {
    const Read read = read_at_once("HTTP/1.1 100 Continue\r\n\r\n" + kPlain);
    CHECK(read.event == Event::kAnswer);
    CHECK_EQ(read.status, 200);
}

TEST("without length and chunks the body ends with the connection") {
    HttpReader reader;
    std::span<const uint8_t> bytes = bytes_of("HTTP/1.1 200 OK\r\n\r\nsome");
    CHECK(reader.read(bytes) == Event::kNeedMore);
    CHECK(bytes.empty());
    CHECK(reader.end() == Event::kAnswer);
    CHECK(reader.is_last());
}

TEST("a connection that ends within an answer makes it invalid, between answers it does not") {
    HttpReader reader;
    CHECK(reader.end() == Event::kNeedMore);
    std::span<const uint8_t> bytes = bytes_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    CHECK(reader.read(bytes) == Event::kNeedMore);
    CHECK(reader.end() == Event::kInvalid);
}

TEST("whether the connection stays is read from version and header") {
    const std::string tail = "Content-Length: 0\r\n\r\n";
    CHECK(read_at_once("HTTP/1.1 200 OK\r\nConnection: Close\r\n" + tail).is_last);
    CHECK(read_at_once("HTTP/1.0 200 OK\r\n" + tail).is_last);
    CHECK(!read_at_once("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + tail).is_last);
    CHECK(!read_at_once("HTTP/1.1 200 OK\r\nConnection: upgrade\r\n" + tail).is_last);
}

TEST("Retry-After in seconds is advice, as a date it is none") {
    const std::string head = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n";
    CHECK_EQ(read_at_once(head + "Retry-After: 2\r\n\r\n").retry_after_ms, 2'000u);
    CHECK_EQ(read_at_once(head + "retry-after: 99999999999999\r\n\r\n").retry_after_ms, 86'400'000u);
    CHECK_EQ(read_at_once(head + "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n").retry_after_ms, kNoAdvice);
    CHECK_EQ(read_at_once(head + "\r\n").retry_after_ms, kNoAdvice);
}

TEST("what is no answer is invalid") {
    for (const std::string text : {
             "SSH-2.0-x\r\n\r\n",
             "HTTP/2 200 OK\r\n\r\n",
             "HTTP/1.1 20 OK\r\n\r\n",
             "HTTP/1.1 2000 OK\r\n\r\n",
             "HTTP/1.1 -20 OK\r\n\r\n",
             "HTTP/1.1 101 Switching Protocols\r\n\r\n",
             "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
             "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
         }) {
        CHECK(read_at_once(text).event == Event::kInvalid);
    }
}

TEST("heads and chunk lines without end are cut off") {
    CHECK(read_at_once("HTTP/1.1 200 OK\r\nX: " + std::string(kMaxHeadBytes, 'x')).event == Event::kInvalid);
    CHECK(
        read_at_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(kMaxChunkLineBytes + 1, '1')).event ==
        Event::kInvalid);
}

TEST("answers with a random byte changed never lead out of the buffer") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string text = random() % 2 == 0 ? kPlain : kChunked;
        text[random() % text.size()] = static_cast<char>(random());
        HttpReader reader;
        const size_t cut = random() % text.size();
        std::string kept = text.substr(0, cut);
        std::span<const uint8_t> bytes = bytes_of(kept);
        if (reader.read(bytes) != Event::kNeedMore) continue;
        const std::string rest = kept.substr(kept.size() - bytes.size()) + text.substr(cut);
        bytes = bytes_of(rest);
        reader.read(bytes);
        CHECK(bytes.size() <= rest.size());
    }
}

}  // namespace
}  // namespace rankd::load
