// A submitted request until its answer is delivered; pooled by its handle.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace rankd::engine {

struct OpenRequest {
    enum class Phase : uint8_t { kFree, kWaiting, kComputing };

    uint32_t ticket = 0;
    Phase phase = Phase::kFree;             ///< the handle's thread only
    std::atomic<bool> is_cancelled{false};  ///< written by the handle, read by a worker before it starts
    wire::Operation operation = wire::Operation::kRecommend;
    std::shared_ptr<Model> model;
    Job job;  ///< its views point into the two buffers below
    std::vector<uint8_t> bytes;
    std::string request_id_text;
    Micros deadline = 0;  ///< 0 = none
    Micros urgency = 0;   ///< lower goes first: the deadline, moved by the priority
    Status failure;       ///< found at the door; answered by the next flush

    double estimate_us() const { return model->cost(operation).estimate_us(job.body.size()); }
    bool is_expired(Micros now) const { return deadline != 0 && now >= deadline; }
};

}  // namespace rankd::engine
