// One event as a line of the event log: the format that training reads, so its names never change their meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_buffer.h"
#include "wire/id.h"

namespace rankd::store {

struct LoggedEvent {
    int64_t unix_ms = 0;
    std::string_view model, version;  ///< that the event speaks to
    wire::Id request_id, user;        ///< none: the line does not have them
    wire::Id item;
    std::string_view event;
    std::optional<double> value;
};

/// {"time": ms, "model", "version", "request_id"?, "user"?, "item", "event", "value"?} and '\n'. A request id is text, an integer
/// in its digits; users and items keep their type; a value always reads as a float.
void append_line(const LoggedEvent& event, ByteBuffer& out);

}  // namespace rankd::store
