// Readers' announcements and the writers' question.
#include "engine/epochs.h"

#include <algorithm>
#include <cassert>

namespace rankd::engine {

bool Epochs::has_passed(Epoch epoch) const {
    const std::lock_guard lock(mutex_);
    return std::all_of(readers_.begin(), readers_.end(),
                       [&](const EpochReader* reader) { return reader->oldest_.load(std::memory_order_seq_cst) >= epoch; });
}

EpochReader::EpochReader(Epochs& epochs) : epochs_(epochs) {
    const std::lock_guard lock(epochs_.mutex_);
    epochs_.readers_.push_back(this);
}

EpochReader::~EpochReader() {
    const std::lock_guard lock(epochs_.mutex_);
    std::erase(epochs_.readers_, this);
}

void EpochReader::enter() {
    if (turn_ != kQuiescent) return;
    turn_ = epochs_.current_.load(std::memory_order_seq_cst);
    // What is pinned has announced an older epoch already.
    if (oldest_.load(std::memory_order_relaxed) == kQuiescent) oldest_.store(turn_, std::memory_order_seq_cst);
}

Epoch EpochReader::pin() {
    assert(turn_ != kQuiescent);
    if (pins_.empty() || pins_.back().epoch != turn_) pins_.push_back({turn_, 0});
    ++pins_.back().count;
    return turn_;
}

void EpochReader::unpin(Epoch epoch) {
    const auto pins = std::find_if(pins_.begin(), pins_.end(), [&](const Pins& one) { return one.epoch == epoch; });
    assert(pins != pins_.end());
    // The announcement stays until the turn ends: what was just unpinned may still be looked at.
    if (--pins->count == 0) pins_.erase(pins);
}

void EpochReader::leave() {
    turn_ = kQuiescent;
    oldest_.store(pins_.empty() ? kQuiescent : pins_.front().epoch, std::memory_order_seq_cst);
}

}  // namespace rankd::engine
