#include "requests.h"

namespace rankd::load {

uint32_t Requests::acquire() {
    uint32_t slot = free_;
    if (slot != kNoRequest) {
        free_ = (*this)[slot].next;
    } else {
        if (used_ == kMost) return kNoRequest;
        if (used_ % kChunk == 0) chunks_.push_back(std::make_unique<Request[]>(kChunk));
        slot = used_++;
    }
    Request& request = (*this)[slot];
    const uint8_t generation = request.generation;
    request = Request{};
    request.generation = generation;
    return slot;
}

void Requests::release(uint32_t slot) {
    Request& request = (*this)[slot];
    ++request.generation;
    request.is_open = false;
    request.next = free_;
    free_ = slot;
}

uint32_t Requests::find(uint64_t id) {
    if (id > UINT32_MAX) return kNoRequest;
    const uint32_t slot = static_cast<uint32_t>(id) & (kMost - 1);
    if (slot >= used_ || (*this)[slot].generation != id >> 24) return kNoRequest;
    return (*this)[slot].is_open ? slot : kNoRequest;
}

void Requests::push_back(RequestList& list, uint32_t slot) {
    Request& request = (*this)[slot];
    request.next = kNoRequest;
    request.previous = list.last;
    if (list.last == kNoRequest) {
        list.first = slot;
    } else {
        (*this)[list.last].next = slot;
    }
    list.last = slot;
    ++list.size;
}

void Requests::remove(RequestList& list, uint32_t slot) {
    const Request& request = (*this)[slot];
    if (request.previous == kNoRequest) {
        list.first = request.next;
    } else {
        (*this)[request.previous].next = request.next;
    }
    if (request.next == kNoRequest) {
        list.last = request.previous;
    } else {
        (*this)[request.next].previous = request.previous;
    }
    --list.size;
}

uint32_t Requests::pop_front(RequestList& list) {
    const uint32_t slot = list.first;
    if (slot != kNoRequest) remove(list, slot);
    return slot;
}

}  // namespace rankd::load
