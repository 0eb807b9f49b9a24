// A bump allocator for everything that lives as long as one batch: decoded ids, copied strings, gathered rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/high_water.h"

namespace rankd {

/// Not thread-safe: one arena belongs to one executor. `reset` keeps the memory, so that a steady state allocates nothing.
class Arena {
  public:
    explicit Arena(size_t block_bytes = 256 * 1024) : block_bytes_(block_bytes) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// `count` uninitialised values; only trivially destructible types, since nobody runs destructors here.
    template <typename T>
    std::span<T> allocate(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        return {static_cast<T*>(allocate_bytes(count * sizeof(T), alignof(T) < 64 && count * sizeof(T) >= 64 ? 64 : alignof(T))),
                count};
    }

    std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        auto* data = static_cast<char*>(allocate_bytes(text.size(), 1));
        std::memcpy(data, text.data(), text.size());
        return {data, text.size()};
    }

    /// Forgets everything and keeps the memory, as one block for the next time; what only a burst needed goes.
    void reset();

    size_t used_bytes() const;
    size_t capacity_bytes() const;

  private:
    struct AlignedDelete {
        void operator()(std::byte* block) const { ::operator delete[](block, std::align_val_t(64)); }
    };
    struct Block {
        std::unique_ptr<std::byte[], AlignedDelete> data;
        size_t size = 0;
        size_t used = 0;
    };

    void* allocate_bytes(size_t bytes, size_t alignment);
    void add_block(size_t at_least);

    size_t block_bytes_;
    std::vector<Block> blocks_;
    HighWater high_water_;
};

/// A growing array in an arena, for lists whose length is only known at their end (JSON).
template <typename T>
class ArenaVector {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    explicit ArenaVector(Arena& arena, size_t reserve = 0) : arena_(&arena) {
        if (reserve > 0) storage_ = arena.allocate<T>(reserve);
    }

    void push_back(const T& value) {
        if (size_ == storage_.size()) {
            std::span<T> larger = arena_->allocate<T>(size_ == 0 ? 16 : size_ * 2);
            if (size_ > 0) std::memcpy(larger.data(), storage_.data(), size_ * sizeof(T));
            storage_ = larger;
        }
        storage_[size_++] = value;
    }

    size_t size() const { return size_; }
    std::span<T> span() const { return storage_.first(size_); }

  private:
    Arena* arena_;
    std::span<T> storage_;
    size_t size_ = 0;
};

}  // namespace rankd
