#include "socket_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rankd::load {
namespace {

constexpr std::string_view kUnix = "unix:";

struct HostPort {
    std::string host, port;
};

/// Empty parts when the text is no `host:port`.
HostPort split(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool is_number =
        !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number || std::stoi(std::string(port)) > 65'535 || std::stoi(std::string(port)) == 0) return {};
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return {};
    }
    return {std::string(host), std::string(port)};
}

}  // namespace

bool is_address(std::string_view text) {
    if (text.starts_with(kUnix)) {
        const size_t length = text.size() - kUnix.size();
        return length > 1 && text[kUnix.size()] == '/' && length < sizeof(sockaddr_un::sun_path);
    }
    const bool is_plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    return is_plain && !split(text).host.empty();
}

Result<SocketAddress> resolve(const std::string& text) {
    SocketAddress address;
    address.text = text;
    if (text.starts_with(kUnix)) {
        Endpoint& endpoint = address.endpoints.emplace_back();
        auto* local = reinterpret_cast<sockaddr_un*>(&endpoint.storage);
        local->sun_family = AF_UNIX;
        std::memcpy(local->sun_path, text.data() + kUnix.size(), text.size() - kUnix.size());
        endpoint.size = sizeof(sockaddr_un);
        address.host = "localhost";
        return address;
    }
    const auto [host, port] = split(text);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
        return Status(Code::INVALID_ARGUMENT, "target.addresses: \"" + text + "\" cannot be looked up: " + gai_strerror(error));
    }
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
        Endpoint& endpoint = address.endpoints.emplace_back();
        std::memcpy(&endpoint.storage, info->ai_addr, info->ai_addrlen);
        endpoint.size = info->ai_addrlen;
    }
    address.host = text;
    freeaddrinfo(found);
    return address;
}

int begin_connect(const Endpoint& endpoint) {
    const int socket_fd = socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) return -1;
    if (endpoint.storage.ss_family != AF_UNIX) {
        const int one = 1;
        setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    const int result = connect(socket_fd, reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.size);
    // A Unix socket whose backlog is full says EAGAIN: the caller tries again later.
    if (result == 0 || errno == EINPROGRESS) return socket_fd;
    const int error = errno;
    close(socket_fd);
    errno = error;
    return -1;
}

}  // namespace rankd::load
