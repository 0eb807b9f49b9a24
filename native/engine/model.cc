// Live changes of a loaded model.
#include "engine/model.h"

namespace rankd::engine {

uint64_t Model::next_generation() {
    static std::atomic<uint64_t> last{0};
    return ++last;
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
