// Where a server listens: `host:port`, `[v6]:port` or `unix:/path`.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rankd::load {

/// What connect() takes.
struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

/// An address of the spec, looked up.
struct SocketAddress {
    std::vector<Endpoint> endpoints;  ///< at least one; a name such as localhost may stand for several
    std::string text;                 ///< as it stands in the spec
    std::string host;                 ///< for the Host header
};

/// Whether a text has the form of an address; the host is not looked up.
bool is_address(std::string_view text);

/// Looks the host up (blocking). @return INVALID_ARGUMENT when it has no address
Result<SocketAddress> resolve(const std::string& text);

/// A non-blocking, connecting stream socket, TCP_NODELAY where that applies. @return -1 with errno when it cannot even begin
int begin_connect(const Endpoint& endpoint);

}  // namespace rankd::load
