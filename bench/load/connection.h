// A connection and the requests that it carries or that wait for it.
#pragma once

#include <cstdint>

#include "requests.h"
#include "stream.h"

namespace rankd::load {

enum class ConnectionState : uint8_t { kDown, kConnecting, kGreeting, kUp, kRetired };

struct Connection {
    uint32_t index = 0;
    const SocketAddress* address = nullptr;
    Stream stream;
    ConnectionState state = ConnectionState::kDown;
    RequestList open;     ///< sent, not answered
    RequestList backlog;  ///< waiting for room in the socket or, in a closed loop, for the connection to come back
    uint32_t owed = 0;    ///< closed loop: requests to start when it comes back
    uint32_t attempts = 0, failures = 0;
    Nanos revive_at = 0;
    bool is_dirty = false;   ///< bytes wait for the flush at the end of the turn
    bool is_broken = false;  ///< to be taken down at the end of the turn
    bool is_free = false;    ///< in the queue of free http connections

    bool is_up() const { return state == ConnectionState::kUp && !is_broken; }
};

}  // namespace rankd::load
