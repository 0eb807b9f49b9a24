// Gathers what a graph reads for a run of users and their candidates, and runs it into arena memory.
#pragma once

#include <span>

#include "pipeline/batch.h"

namespace rankd::pipeline {

/// One user of a run and, for candidate graphs, those of its candidates that the run scores.
struct UserRows {
    RequestState* user = nullptr;
    std::span<Candidate> candidates;
};

struct RunRows {
    std::span<const UserRows> users;
    size_t candidate_count = 0;  ///< of all users
};

/// Runs a user or candidate graph. @return its output [U or N, width] in `values`; MODEL_FAILED with the runtime's words
Status run_graph(Batch& batch, const Graph& graph, uint32_t output, const RunRows& rows, std::span<float>& values);

/// Runs a graph of `score` over rows [B, F]. @return one score per row
Status run_rows(Batch& batch, const Graph& graph, uint32_t output, std::span<float> rows, size_t row_count,
                std::span<float>& values);

}  // namespace rankd::pipeline
