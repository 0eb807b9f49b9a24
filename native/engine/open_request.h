// A submitted request until its answer is delivered; pooled by its handle.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/epochs.h"
#include "engine/executor.h"
#include "engine/inference_statistics.h"
#include "engine/work_queue.h"

namespace rankd::engine {

class Handle;

struct OpenRequest {
    /// Where it is; the handle's thread only.
    enum class Phase : uint8_t { kFree, kRefused, kWaiting, kWithWorkers };

    uint32_t ticket = 0;
    Phase phase = Phase::kFree;
    std::atomic<bool> is_cancelled{false};  ///< written by the handle, read by a worker
    wire::Operation operation = wire::Operation::kRecommend;
    Model* model = nullptr;  ///< pinned by the handle's reader until the answer has left
    Epoch epoch = 0;         ///< of that pin
    Job job;                 ///< its views point into the two buffers below
    std::vector<uint8_t> bytes;
    std::string request_id_text;
    Waiting waiting;  ///< how it stands in a queue
    bool is_large = false;
    Status failure;  ///< found at the door; answered by the next flush
    // Of `infer`, for its statistics; read when the request leaves its model.
    bool is_pending = false;        ///< counted among those that wait for execution
    Code ended = Code::CANCELLED;   ///< how, as its caller sees it: an answer that nobody took does not count
    InferenceOutcome inference;     ///< where it ended well
    std::shared_ptr<Handle> owner;  ///< set while workers have it: an answer needs its handle, attached or not

    LaneKey lane() const { return {model, operation, is_large}; }
    bool is_expired(Micros now) const { return waiting.deadline != 0 && now >= waiting.deadline; }
};

}  // namespace rankd::engine
