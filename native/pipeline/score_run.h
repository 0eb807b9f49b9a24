// The score stage of a batch, one graph run at a time, so that its thread can do something more urgent in between.
#pragma once

#include <limits>
#include <variant>

#include "pipeline/graph_inputs.h"

namespace rankd::pipeline {

constexpr size_t kAllRows = std::numeric_limits<size_t>::max();

/// All candidates of all requests. Runs take whole requests as long as they fit; larger ones are cut.
class CandidateScoring {
  public:
    CandidateScoring(const ScoreStage& stage, Batch& batch);
    bool is_done() const { return next_ == users_.size(); }
    void step(Batch& batch, size_t max_rows);

  private:
    void skip_settled();
    void score(Batch& batch, std::span<const UserRows> users, size_t candidate_count);

    const ScoreStage* stage_;
    std::span<RequestState*> users_;
    size_t next_ = 0;    ///< the first user with candidates left
    size_t offset_ = 0;  ///< of its candidates, those scored
};

/// All rows of all requests of `score`.
class RowScoring {
  public:
    RowScoring(const ScoreStage& stage, Batch& batch);
    bool is_done() const { return first_ == scores_.size(); }
    void step(Batch& batch, size_t max_rows);

  private:
    void tell(Batch& batch, const Status& status);

    const ScoreStage* stage_;
    std::span<float> rows_;     ///< [rows of the batch, width]
    std::span<float> scores_;   ///< one per row
    std::span<size_t> counts_;  ///< rows per request
    size_t first_ = 0;          ///< rows scored
};

using ScoreRun = std::variant<CandidateScoring, RowScoring>;
ScoreRun start_scoring(const ScoreStage& stage, Batch& batch);

}  // namespace rankd::pipeline
