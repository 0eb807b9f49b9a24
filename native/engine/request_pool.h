// The open requests of one handle by ticket: places that are used again, each ticket once.
#pragma once

#include <memory>
#include <vector>

#include "engine/open_request.h"

namespace rankd::engine {

/// Not thread-safe. Requests keep their address and the memory of their buffers while they wait for their next use.
class RequestPool {
  public:
    static constexpr size_t kMost = (1u << 20) - 1;

    /// @pre fewer than kMost are open
    OpenRequest& take();
    /// Its ticket never comes again: an old one cannot reach the place's next request.
    void release(OpenRequest& request);
    /// The open request of a ticket, or nullptr.
    OpenRequest* find(int32_t ticket);

    size_t open_count() const { return places_.size() - free_.size(); }

    template <typename Visit>
    void for_each_open(Visit visit) {
        for (const auto& request : places_)
            if (request->phase != OpenRequest::Phase::kFree) visit(*request);
    }

  private:
    std::vector<std::unique_ptr<OpenRequest>> places_;
    std::vector<uint32_t> free_;
    size_t kept_bytes_ = 0;  ///< of the buffers of free places
};

}  // namespace rankd::engine
