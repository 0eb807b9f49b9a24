#include "wire/trace_context.h"

#include <algorithm>

namespace rankd::wire {
namespace {

constexpr size_t kVersionAt = 0, kTraceIdAt = 3, kParentIdAt = 36, kFlagsAt = 53, kLength = 55;
constexpr uint8_t kForbiddenVersion = 0xFF;
constexpr uint8_t kSampled = 0x01;

/// The value of a lower-case digit, or -1: the specification forbids the others.
int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, size_t at, std::span<uint8_t> bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
        const int high = digit_of(text[at + 2 * i]), low = digit_of(text[at + 2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return true;
}

bool is_zero(std::span<const uint8_t> id) {
    return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

bool has_dashes(std::string_view text) {
    return text[kTraceIdAt - 1] == '-' && text[kParentIdAt - 1] == '-' && text[kFlagsAt - 1] == '-';
}

/// A later version may go on, behind a dash.
bool ends_well(std::string_view text, uint8_t version) {
    return text.size() == kLength || (version > 0 && text[kLength] == '-');
}

}  // namespace

TraceContext parse_traceparent(std::string_view text) {
    TraceContext trace;
    uint8_t version = 0, flags = 0;
    if (text.size() < kLength || !has_dashes(text)) return {};
    if (!read_hex(text, kVersionAt, {&version, 1}) || version == kForbiddenVersion || !ends_well(text, version)) return {};
    if (!read_hex(text, kTraceIdAt, trace.trace_id) || is_zero(trace.trace_id)) return {};
    if (!read_hex(text, kParentIdAt, trace.parent_id) || is_zero(trace.parent_id)) return {};
    if (!read_hex(text, kFlagsAt, {&flags, 1})) return {};
    trace.is_known = true;
    trace.is_sampled = (flags & kSampled) != 0;
    return trace;
}

std::string hex(std::span<const uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
    return text;
}

}  // namespace rankd::wire
