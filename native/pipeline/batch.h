// The requests of one run and all they share while its stages pass over them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/status.h"
#include "pipeline/bundle.h"
#include "pipeline/catalogue.h"
#include "pipeline/infer_run.h"
#include "pipeline/stage_times.h"
#include "wire/request.h"
#include "wire/response.h"

namespace rankd::pipeline {

struct Candidate {
    uint32_t row = 0;
    float score = 0;
    uint32_t source = 0;    ///< place in the retrieve stage's list
    uint32_t position = 0;  ///< place in the request's candidates, or in the union of the sources
};

/// One request on its way through the stages. Spans live in the batch's arena.
struct RequestState {
    const wire::Request* request = nullptr;
    Status status;  ///< once it is not OK, the remaining stages pass this request by
    wire::DegradedSet degraded = 0;

    uint32_t user_row = 0;               ///< 0 = unknown
    std::span<const uint32_t> history;   ///< item rows, oldest first, each once
    std::span<const uint32_t> excluded;  ///< item rows of `exclude`
    uint32_t item_row = 0;               ///< similar
    uint32_t k = 0;

    std::span<Candidate> candidates;
    std::span<const float> source_scores;  ///< [candidates before filtering, plan.scored_sources], by Candidate::position

    std::span<const wire::ScoredItem> items;  ///< the answer: items, or scores and decisions
    std::span<float> scores;
    size_t scores_ready = 0;  ///< so many from the first stand
    std::span<std::string_view> decisions;
    std::span<const wire::NamedTensor> outputs;  ///< infer
    bool is_held = false;                        ///< another thread may answer it: a run passes it by
    uint32_t infer_run = kNoRun;                 ///< the place in Scratch::infer_runs of the run that gave them
    uint32_t infer_rows = 0;                     ///< of that run, this request's own

    bool is_ok() const { return status.is_ok(); }
};

/// A set of rows that is emptied in constant time.
class RowSet {
  public:
    void clear(uint32_t row_count);
    /// @return whether the row was new
    bool insert(uint32_t row) {
        if (stamps_[row] == stamp_) return false;
        stamps_[row] = stamp_;
        return true;
    }
    bool contains(uint32_t row) const { return stamps_[row] == stamp_; }

  private:
    std::vector<uint32_t> stamps_;
    uint32_t stamp_ = 0;
};

/// Buffers of one executor, reused from batch to batch so that a steady state allocates nothing of ours.
struct Scratch {
    Arena arena;
    index::Scratch index;
    RowSet rows;              ///< whatever one stage needs for one request
    std::vector<float> sums;  ///< neighbours: score per item row, zero outside `touched`
    std::vector<uint32_t> touched;
    std::vector<RequestState> requests;
    std::vector<InferRun> infer_runs;  ///< of this batch, those that went well
    /// What they gave: the requests' outputs are views into it.
    std::vector<std::unique_ptr<session::Outputs>> infer_outputs;
    StageClock stages;  ///< of the batch that runs
};

struct Batch {
    const Bundle& bundle;
    const Plan& plan;
    wire::Operation operation;
    Catalogue items;
    Scratch& scratch;
    std::span<RequestState> requests;

    Arena& arena() { return scratch.arena; }
};

}  // namespace rankd::pipeline
