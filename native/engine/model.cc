// Live changes and learnt costs of a loaded model.
#include "engine/model.h"

namespace rankd::engine {

void LearntCost::learn(double elapsed_us, size_t requests, size_t body_bytes, bool by_size) {
    // An exponential mean over about the last 16 batches: quick to follow a reload, slow to believe one outlier.
    constexpr double kWeight = 1.0 / 16;
    std::atomic<double>& slot = by_size ? per_byte_us_ : per_request_us_;
    const double units = by_size ? static_cast<double>(std::max<size_t>(body_bytes, 1)) : static_cast<double>(requests);
    const double seen = elapsed_us / units;
    const double before = slot.load(std::memory_order_relaxed);
    slot.store(before == 0 ? seen : before + kWeight * (seen - before), std::memory_order_relaxed);
}

Status Model::upsert(std::span<const uint8_t> items, uint32_t& count) {
    std::lock_guard lock(mutex_);
    RANKD_ASSIGN_OR_RETURN(live_, pipeline::upsert_items(*bundle_, *live_, items, count));
    return Status::ok();
}

Status Model::remove(std::span<const uint8_t> ids, uint32_t& count) {
    std::lock_guard lock(mutex_);
    RANKD_ASSIGN_OR_RETURN(live_, pipeline::remove_items(*bundle_, *live_, ids, count));
    return Status::ok();
}

}  // namespace rankd::engine
