// Every request that is under way: slots that are reused, found by the id that travels in the frame, chained into lists.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "clock.h"

namespace rankd::load {

constexpr uint32_t kNoRequest = UINT32_MAX;
constexpr uint32_t kNoConnection = UINT32_MAX;

struct Request {
    Nanos intended = 0;                                 ///< when its first attempt was due
    uint32_t place = 0;                                 ///< in the corpus
    uint32_t connection = kNoConnection;                ///< that carries it, or that it waits for
    uint32_t next = kNoRequest, previous = kNoRequest;  ///< neighbours in the list that holds it
    uint8_t generation = 0;  ///< counts the lives of the slot: a late answer to an earlier one is told apart
    uint8_t attempts = 0;
    uint8_t group = 0;
    bool is_measured = false;
    bool is_open = false;  ///< sent, not answered
};

/// A doubly linked list of requests; a request is in one list at most.
struct RequestList {
    uint32_t first = kNoRequest, last = kNoRequest;
    uint32_t size = 0;
    bool is_empty() const { return size == 0; }
};

class Requests {
  public:
    /// An id is a slot of 24 bits and its generation.
    static constexpr uint32_t kMost = 1u << 24;

    /// A fresh request's slot, or kNoRequest when kMost are under way.
    uint32_t acquire();
    void release(uint32_t slot);

    Request& operator[](uint32_t slot) { return chunks_[slot / kChunk][slot % kChunk]; }
    uint32_t id_of(uint32_t slot) { return slot | static_cast<uint32_t>((*this)[slot].generation) << 24; }
    /// The slot that an id of a socket names, or kNoRequest: ids from outside are not trusted.
    uint32_t find(uint64_t id);

    void push_back(RequestList& list, uint32_t slot);
    void remove(RequestList& list, uint32_t slot);
    uint32_t pop_front(RequestList& list);

  private:
    /// Slots come in chunks, so that growing moves nothing while requests are timed.
    static constexpr uint32_t kChunk = 1u << 14;

    std::vector<std::unique_ptr<Request[]>> chunks_;
    uint32_t used_ = 0;           ///< slots that were ever handed out
    uint32_t free_ = kNoRequest;  ///< chain of released slots
};

}  // namespace rankd::load
