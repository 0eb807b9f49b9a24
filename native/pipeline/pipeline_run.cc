#include "pipeline/pipeline_run.h"

#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

/// In the order of `Stage`'s alternatives.
constexpr TimedStage kTimed[] = {TimedStage::kLookup, TimedStage::kRetrieve, TimedStage::kFilter, TimedStage::kScore,
                                 TimedStage::kSelect};
static_assert(std::variant_size_v<Stage> == std::size(kTimed));

}  // namespace

ScoreRun start_scoring(const ScoreStage& stage, Batch& batch) {
    if (stage.graph->level == Level::kRow) return RowScoring(stage, batch);
    return CandidateScoring(stage, batch);
}

PipelineRun::PipelineRun(const Batch& batch) : batch_(batch) {
    // Ids have to become rows even where a manifest leaves the stage out.
    if (batch_.operation == wire::Operation::kScore || batch_.plan.find<LookupStage>() != nullptr) return;
    run_stage(LookupStage{}, batch_);
    batch_.scratch.stages.pass(TimedStage::kLookup);
}

bool PipelineRun::step(size_t max_rows) {
    for (; next_ < batch_.plan.stages.size(); ++next_) {
        const Stage& stage = batch_.plan.stages[next_];
        const auto* scoring = std::get_if<ScoreStage>(&stage);
        const bool is_left = scoring != nullptr && score(*scoring, max_rows);
        if (scoring == nullptr) run(stage);
        batch_.scratch.stages.pass(kTimed[stage.index()]);
        if (is_left) return true;
    }
    return false;
}

void PipelineRun::run(const Stage& stage) {
    std::visit(
        [&](const auto& one) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, ScoreStage>) run_stage(one, batch_);
        },
        stage);
}

bool PipelineRun::score(const ScoreStage& stage, size_t max_rows) {
    if (!scoring_) scoring_ = start_scoring(stage, batch_);
    const auto is_done = [&] { return std::visit([](const auto& scoring) { return scoring.is_done(); }, *scoring_); };
    while (!is_done()) {
        std::visit([&](auto& scoring) { scoring.step(batch_, max_rows); }, *scoring_);
        if (max_rows != kAllRows && !is_done()) return true;
    }
    scoring_.reset();
    return false;
}

}  // namespace rankd::pipeline
