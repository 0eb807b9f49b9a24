// The `infer` section of a manifest as data: what callers may send, how requests share runs, how the graph's session is set up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/element_type.h"
#include "session/session.h"

namespace rankd::pipeline {

/// What a manifest says of one input or output; what it leaves out is the graph's.
struct DeclaredTensor {
    std::string name;
    std::optional<ElementType> type;
    std::optional<std::vector<int64_t>> dims;     ///< as callers see it, -1 = any; without the batch dimension
    std::optional<std::vector<int64_t>> reshape;  ///< as the graph has it; without the batch dimension
    std::string labels;                           ///< of an output: a file with a class name on each line
};

/// How long requests may wait for this model, and how many.
struct QueueSpec {
    uint32_t max_size = 0;            ///< 0 = no bound of its own
    uint64_t default_timeout_us = 0;  ///< of requests that bring none; 0 = none
    bool allow_timeout_override = true;
    bool delays_late_requests = false;  ///< a request past its timeout is served all the same
    uint8_t default_priority = 0;       ///< 1..9; 0 = the middle
};

struct InferSpec {
    std::optional<uint32_t> max_batch_size;  ///< 0 = never batched; absent = decided at load
    std::optional<bool> dynamic_batching;
    uint32_t preferred_max = 4;  ///< rows of a run where `max_batch_size` is absent and the graph can batch
    std::vector<DeclaredTensor> inputs, outputs;
    bool response_cache = false;
    QueueSpec queue;
    session::SessionOptions session;
    std::vector<std::string> warmup;  ///< bodies of `infer` in the form of the Open Inference Protocol
};

}  // namespace rankd::pipeline
