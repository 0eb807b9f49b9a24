// What a model's own rules make of a request's wishes at the door.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "pipeline/infer_spec.h"

namespace rankd::engine {

/// How long a request may wait and how urgent it is; 0 = not said.
struct QueueWish {
    Micros timeout_us = 0;
    uint8_t priority = 0;  ///< 1 = most urgent .. 9
};

/// A request may ask for less time than the model's default, not for more; where the default may not be overridden, or lateness
/// is put up with, its own wish does not count.
inline QueueWish within_policy(const pipeline::QueueSpec& queue, QueueWish wish) {
    const auto standard_us = static_cast<Micros>(queue.default_timeout_us);
    if (wish.priority == 0) wish.priority = queue.default_priority;
    if (queue.delays_late_requests) {
        wish.timeout_us = 0;
    } else if (wish.timeout_us == 0 || !queue.allow_timeout_override) {
        wish.timeout_us = standard_us;
    } else if (standard_us != 0) {
        wish.timeout_us = std::min(wish.timeout_us, standard_us);
    }
    return wish;
}

}  // namespace rankd::engine
