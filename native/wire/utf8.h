// UTF-8 checks for text that we write into answers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rankd::wire {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of the well-formed sequence at the start of `text` (RFC 3629: no overlong forms, no surrogates), or 0.
size_t utf8_sequence_bytes(std::string_view text);

/// `text` with each byte that belongs to no well-formed sequence replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace rankd::wire
