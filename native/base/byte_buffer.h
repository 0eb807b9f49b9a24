// A growing run of bytes that encoders append to; the slab of answers is one of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/high_water.h"

namespace rankd {

/// Keeps its memory over `clear`. The storage is shared so that a JavaScript view of an old slab outlives its replacement.
class ByteBuffer {
  public:
    explicit ByteBuffer(size_t capacity = 64 * 1024) { reserve(capacity); }

    void append(const void* data, size_t bytes) { std::memcpy(extend(bytes), data, bytes); }
    void append(std::string_view text) { append(text.data(), text.size()); }
    void push(uint8_t byte) { *extend(1) = byte; }

    /// Room for `bytes` more, counted as written; the caller fills it at once.
    uint8_t* extend(size_t bytes) {
        if (size_ + bytes > capacity_) reserve(size_ + bytes);
        uint8_t* at = storage_.get() + size_;
        size_ += bytes;
        return at;
    }

    /// Takes back everything behind `size`, for an answer that failed half-way.
    void truncate(size_t size) { size_ = size; }
    void clear() { size_ = 0; }
    /// Empties it for its next use; a capacity that only a burst needed goes.
    void recycle() {
        const size_t capacity = high_water_.settle(size_, capacity_);
        size_ = 0;
        if (capacity == capacity_) return;
        storage_.reset(new uint8_t[capacity]);
        capacity_ = capacity;
    }

    size_t size() const { return size_; }
    size_t capacity() const { return capacity_; }
    uint8_t* data() { return storage_.get(); }
    const uint8_t* data() const { return storage_.get(); }
    std::span<const uint8_t> bytes() const { return {storage_.get(), size_}; }
    const std::shared_ptr<uint8_t[]>& storage() const { return storage_; }

  private:
    void reserve(size_t at_least) {
        size_t capacity = capacity_ == 0 ? 4096 : capacity_;
        while (capacity < at_least) capacity *= 2;
        std::shared_ptr<uint8_t[]> larger(new uint8_t[capacity]);
        if (size_ > 0) std::memcpy(larger.get(), storage_.get(), size_);
        storage_ = std::move(larger);
        capacity_ = capacity;
    }

    std::shared_ptr<uint8_t[]> storage_;
    size_t capacity_ = 0;
    size_t size_ = 0;
    HighWater high_water_;
};

}  // namespace rankd
