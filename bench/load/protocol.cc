#include "protocol.h"

#include "http_protocol.h"
#include "rpc_protocol.h"

namespace rankd::load {

Result<std::unique_ptr<Protocol>> make_protocol(const Spec& spec, const Corpus& corpus,
                                                const std::vector<SocketAddress>& addresses) {
    std::unique_ptr<Protocol> protocol;
    if (spec.transport == Transport::kRpc) {
        RANKD_ASSIGN_OR_RETURN(Images images, Images::rpc(corpus, spec.deadline_ms > 0));
        protocol = std::make_unique<RpcProtocol>(spec, std::move(images));
        return protocol;
    }
    std::vector<Images> images;
    for (const SocketAddress& address : addresses) images.push_back(Images::http(corpus, address.host, spec.path, spec.headers));
    protocol = std::make_unique<HttpProtocol>(spec, std::move(images));
    return protocol;
}

}  // namespace rankd::load
