#include "base/arena.h"

#include <algorithm>

namespace rankd {

void Arena::add_block(size_t at_least) {
    const size_t size = std::max(block_bytes_, at_least);
    Block block;
    block.data.reset(static_cast<std::byte*>(::operator new[](size, std::align_val_t(64))));
    block.size = size;
    blocks_.push_back(std::move(block));
}

void* Arena::allocate_bytes(size_t bytes, size_t alignment) {
    if (!blocks_.empty()) {
        Block& block = blocks_.back();
        const size_t start = (block.used + alignment - 1) & ~(alignment - 1);
        if (start + bytes <= block.size) {
            block.used = start + bytes;
            return block.data.get() + start;
        }
    }
    add_block(bytes);
    blocks_.back().used = bytes;
    return blocks_.back().data.get();
}

void Arena::reset() {
    const size_t total = capacity_bytes(), wanted = high_water_.settle(used_bytes(), total);
    if (blocks_.size() > 1 || wanted != total) {
        blocks_.clear();
        add_block(wanted);
    }
    if (!blocks_.empty()) blocks_.back().used = 0;
}

size_t Arena::used_bytes() const {
    size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.used;
    return bytes;
}

size_t Arena::capacity_bytes() const {
    size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
}

}  // namespace rankd
