// The serialised form of BYTES tensors: each element is its length (u32, little-endian) and then itself, one after the other.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace rankd {

static_assert(std::endian::native == std::endian::little);

/// Bytes before each element.
constexpr size_t kElementLengthBytes = sizeof(uint32_t);

/// Calls `visit(std::string_view)` for each element, until it returns false or no whole element is left.
/// @return where it stopped; the size of `serialised` when all of it was visited
template <typename Visit>
size_t for_each_bytes_element(std::span<const uint8_t> serialised, Visit&& visit) {
    size_t at = 0;
    while (serialised.size() - at >= kElementLengthBytes) {
        uint32_t length;
        std::memcpy(&length, serialised.data() + at, sizeof(length));
        const size_t begin = at + kElementLengthBytes;
        if (serialised.size() - begin < length) break;
        if (!visit(std::string_view(reinterpret_cast<const char*>(serialised.data()) + begin, length))) break;
        at = begin + length;
    }
    return at;
}

/// Takes `count` elements, or as many as there are, off the front of `rest`.
inline std::span<const uint8_t> take_bytes_elements(std::span<const uint8_t>& rest, size_t count) {
    const size_t end = for_each_bytes_element(rest, [&](std::string_view) { return count-- > 0; });
    const std::span<const uint8_t> taken = rest.first(end);
    rest = rest.subspan(end);
    return taken;
}

/// Writes an element where kElementLengthBytes + its size are free. @return where the next one goes
inline uint8_t* write_bytes_element(uint8_t* at, std::string_view element) {
    const auto length = static_cast<uint32_t>(element.size());
    std::memcpy(at, &length, sizeof(length));
    if (length > 0) std::memcpy(at + kElementLengthBytes, element.data(), element.size());
    return at + kElementLengthBytes + element.size();
}

}  // namespace rankd
