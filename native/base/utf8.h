// UTF-8: checked in what files hold, mended in what answers quote.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rankd {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of the well-formed sequence at the start of `text` (RFC 3629: no overlong forms, no surrogates), or 0.
size_t utf8_sequence_bytes(std::string_view text);

/// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

/// `text` with each byte that belongs to no well-formed sequence replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace rankd
