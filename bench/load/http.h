// The client's half of HTTP/1.1: an incremental reader of answers that keeps nothing of the bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rankd::load {

constexpr size_t kMaxHeadBytes = 64 * 1024;
constexpr size_t kMaxChunkLineBytes = 4 * 1024;
constexpr uint64_t kMaxBodyBytes = uint64_t{1} << 40;
constexpr uint32_t kNoAdvice = UINT32_MAX;

/// What matters of the head of an answer.
struct HttpHead {
    bool is_valid = false;
    bool is_chunked = false;
    bool has_length = false;
    bool is_last = false;  ///< the connection closes after this answer
    uint16_t status = 0;
    uint32_t retry_after_ms = kNoAdvice;
    uint64_t length = 0;
    std::string_view websocket_accept;  ///< into the head's bytes
};

/// Reads a head that ends with the empty line.
HttpHead parse_http_head(std::string_view head);

/// The length of the head at the start of `bytes`, empty line included, or 0 while it is not complete.
size_t find_head_end(std::span<const uint8_t> bytes);

/// Reads one answer after the other. Bytes that were not consumed are to be offered again, with more behind them.
class HttpReader {
  public:
    enum class Event : uint8_t { kNeedMore, kAnswer, kInvalid };

    /// @param bytes  unconsumed bytes so far; the consumed ones are cut off its front
    /// @return kAnswer when the last byte of an answer was consumed: `status()` and the others tell which
    Event read(std::span<const uint8_t>& bytes);

    /// The server has closed: kAnswer when that ends the body, kNeedMore between answers, kInvalid in the midst of one.
    Event end();

    uint16_t status() const { return head_.status; }
    bool is_last() const { return head_.is_last; }
    uint32_t retry_after_ms() const { return head_.retry_after_ms; }
    /// Whether a part of an answer has been consumed.
    bool is_inside() const { return state_ != State::kHead; }
    void reset() { state_ = State::kHead; }

  private:
    enum class State : uint8_t { kHead, kLength, kUntilClose, kChunkSize, kChunk, kChunkEnd, kTrailer };

    Event read_head(std::span<const uint8_t>& bytes);
    Event start_body();
    Event read_length(std::span<const uint8_t>& bytes);
    Event read_chunk_line(std::span<const uint8_t>& bytes);
    Event take_line(std::string_view line);
    Event finish();

    HttpHead head_;
    uint64_t remaining_ = 0;
    State state_ = State::kHead;
    bool is_progress_ = false;
};

}  // namespace rankd::load
