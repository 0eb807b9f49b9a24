#include "http.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rankd::load {
namespace {

constexpr uint64_t kLongestAdviceSeconds = 86'400;

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Whether a comma-separated list holds a word.
bool lists(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        if (equals_ignoring_case(trimmed(list.substr(0, comma)), word)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

template <typename T>
bool read_number(std::string_view text, T& number, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// `HTTP/1.1 200 OK`; the last digit of the version says whether connections are kept by default.
bool parse_status_line(std::string_view line, HttpHead& head) {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || (line[7] != '0' && line[7] != '1') || line[8] != ' ') return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    head.is_last = line[7] == '0';
    return read_number(line.substr(9, 3), head.status) && head.status >= 100 && head.status < 1000;
}

bool take_length(std::string_view value, HttpHead& head) {
    uint64_t length = 0;
    if (!read_number(value, length) || length > kMaxBodyBytes || (head.has_length && head.length != length)) return false;
    head.length = length;
    head.has_length = true;
    return true;
}

/// False when a header makes the answer unreadable; unknown headers are passed. The length decides what may match: that is one
/// comparison for most headers.
bool take_header(std::string_view name, std::string_view value, HttpHead& head) {
    switch (name.size()) {
        case 10:
            if (!equals_ignoring_case(name, "connection")) return true;
            if (lists(value, "close")) head.is_last = true;
            if (lists(value, "keep-alive")) head.is_last = false;
            return true;
        case 11:
            if (uint64_t seconds = 0; equals_ignoring_case(name, "retry-after") && read_number(value, seconds)) {
                head.retry_after_ms = static_cast<uint32_t>(std::min(seconds, kLongestAdviceSeconds) * 1000);
            }
            return true;
        case 14:
            return !equals_ignoring_case(name, "content-length") || take_length(value, head);
        case 17:
            if (!equals_ignoring_case(name, "transfer-encoding")) return true;
            head.is_chunked = true;
            return equals_ignoring_case(value, "chunked");
        case 20:
            if (equals_ignoring_case(name, "sec-websocket-accept")) head.websocket_accept = value;
            return true;
        default:
            return true;
    }
}

bool parse_headers(std::string_view lines, HttpHead& head) {
    while (!lines.empty()) {
        const size_t end = lines.find("\r\n");
        if (end == std::string_view::npos) return false;
        if (end == 0) return lines.size() == 2;
        const size_t colon = lines.substr(0, end).find(':');
        if (colon == std::string_view::npos || colon == 0) return false;
        if (!take_header(lines.substr(0, colon), trimmed(lines.substr(colon + 1, end - colon - 1)), head)) return false;
        lines.remove_prefix(end + 2);
    }
    return false;
}

std::string_view as_text(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

HttpHead parse_http_head(std::string_view text) {
    HttpHead head;
    const size_t end = text.find("\r\n");
    if (end == std::string_view::npos || !parse_status_line(text.substr(0, end), head)) return head;
    head.is_valid = parse_headers(text.substr(end + 2), head);
    return head;
}

size_t find_head_end(std::span<const uint8_t> bytes) {
    const size_t at = as_text(bytes).find("\r\n\r\n");
    return at == std::string_view::npos ? 0 : at + 4;
}

HttpReader::Event HttpReader::finish() {
    state_ = State::kHead;
    return Event::kAnswer;
}

HttpReader::Event HttpReader::start_body() {
    const bool is_interim = head_.status < 200;
    const bool is_empty = is_interim || head_.status == 204 || head_.status == 304;
    // 101 would hand the connection to another protocol: nobody asked for that.
    if (head_.status == 101) return Event::kInvalid;
    if (is_interim) return Event::kNeedMore;
    if (is_empty || (!head_.is_chunked && head_.has_length && head_.length == 0)) return finish();
    remaining_ = head_.length;
    state_ = head_.is_chunked ? State::kChunkSize : head_.has_length ? State::kLength : State::kUntilClose;
    return Event::kNeedMore;
}

HttpReader::Event HttpReader::read_head(std::span<const uint8_t>& bytes) {
    const size_t length = find_head_end(bytes);
    if (length == 0) return bytes.size() > kMaxHeadBytes ? Event::kInvalid : Event::kNeedMore;
    head_ = parse_http_head(as_text(bytes.first(length)));
    bytes = bytes.subspan(length);
    is_progress_ = true;
    return head_.is_valid ? start_body() : Event::kInvalid;
}

HttpReader::Event HttpReader::read_length(std::span<const uint8_t>& bytes) {
    const size_t taken = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size()));
    bytes = bytes.subspan(taken);
    remaining_ -= taken;
    if (remaining_ > 0) return Event::kNeedMore;
    if (state_ == State::kLength) return finish();
    state_ = State::kChunkEnd;
    is_progress_ = true;
    return Event::kNeedMore;
}

HttpReader::Event HttpReader::take_line(std::string_view line) {
    if (state_ == State::kTrailer) return line.empty() ? finish() : Event::kNeedMore;
    if (state_ == State::kChunkEnd) {
        state_ = State::kChunkSize;
        return line.empty() ? Event::kNeedMore : Event::kInvalid;
    }
    const std::string_view size = trimmed(line.substr(0, line.find(';')));
    if (!read_number(size, remaining_, 16) || remaining_ > kMaxBodyBytes) return Event::kInvalid;
    state_ = remaining_ == 0 ? State::kTrailer : State::kChunk;
    return Event::kNeedMore;
}

HttpReader::Event HttpReader::read_chunk_line(std::span<const uint8_t>& bytes) {
    const size_t end = as_text(bytes).find("\r\n");
    if (end == std::string_view::npos) return bytes.size() > kMaxChunkLineBytes ? Event::kInvalid : Event::kNeedMore;
    const std::string_view line = as_text(bytes.first(end));
    bytes = bytes.subspan(end + 2);
    is_progress_ = true;
    return take_line(line);
}

HttpReader::Event HttpReader::read(std::span<const uint8_t>& bytes) {
    Event event = Event::kNeedMore;
    do {
        is_progress_ = false;
        switch (state_) {
            case State::kHead:
                event = read_head(bytes);
                break;
            case State::kLength:
            case State::kChunk:
                event = read_length(bytes);
                break;
            case State::kUntilClose:
                bytes = bytes.last(0);
                break;
            case State::kChunkSize:
            case State::kChunkEnd:
            case State::kTrailer:
                event = read_chunk_line(bytes);
                break;
        }
    } while (event == Event::kNeedMore && is_progress_ && !bytes.empty());
    return event;
}

HttpReader::Event HttpReader::end() {
    if (state_ == State::kHead) return Event::kNeedMore;
    head_.is_last = true;
    return state_ == State::kUntilClose ? finish() : Event::kInvalid;
}

}  // namespace rankd::load
