// A batch on its way through its plan. Between two steps its thread is free for other work.
#pragma once

#include <optional>

#include "pipeline/score_run.h"

namespace rankd::pipeline {

/// Requests fail one by one through their own status.
class PipelineRun {
  public:
    explicit PipelineRun(const Batch& batch);

    /// Goes on to the end, or until one graph run of `score` is over and rows are left.
    /// @param max_rows  of that run; kAllRows: go on to the end
    /// @return whether work is left
    bool step(size_t max_rows);

  private:
    void run(const Stage& stage);
    bool score(const ScoreStage& stage, size_t max_rows);

    Batch batch_;
    size_t next_ = 0;  ///< of the plan's stages
    std::optional<ScoreRun> scoring_;
};

}  // namespace rankd::pipeline
