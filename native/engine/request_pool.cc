#include "engine/request_pool.h"

namespace rankd::engine {
namespace {

// A ticket is a place and how often it was used before.
constexpr uint32_t kPlaceBits = 20;
constexpr uint32_t kPlaceMask = (1u << kPlaceBits) - 1;
constexpr uint32_t kTicketMask = 0x7FFFFFFFu;

/// Free places keep the memory of their buffers up to this in all: enough that a steady state allocates nothing, and a burst of
/// large requests leaves nothing behind.
constexpr size_t kKeptBytes = 8 << 20;

}  // namespace

OpenRequest& RequestPool::take() {
    if (free_.empty()) {
        const auto place = static_cast<uint32_t>(places_.size());
        places_.push_back(std::make_unique<OpenRequest>());
        places_.back()->ticket = place;
        free_.push_back(place);
    }
    OpenRequest& request = *places_[free_.back()];
    free_.pop_back();
    kept_bytes_ -= request.bytes.capacity();
    return request;
}

void RequestPool::release(OpenRequest& request) {
    request.phase = OpenRequest::Phase::kFree;
    request.is_cancelled.store(false, std::memory_order_relaxed);
    request.model = nullptr;
    request.owner.reset();
    request.failure = Status::ok();
    if (kept_bytes_ + request.bytes.capacity() > kKeptBytes) request.bytes = {};
    kept_bytes_ += request.bytes.capacity();
    free_.push_back(request.ticket & kPlaceMask);
    request.ticket = (request.ticket + (1u << kPlaceBits)) & kTicketMask;
}

OpenRequest* RequestPool::find(int32_t ticket) {
    const auto number = static_cast<uint32_t>(ticket);
    const uint32_t place = number & kPlaceMask;
    if (ticket < 0 || place >= places_.size()) return nullptr;
    OpenRequest& request = *places_[place];
    return request.ticket == number && request.phase != OpenRequest::Phase::kFree ? &request : nullptr;
}

}  // namespace rankd::engine
