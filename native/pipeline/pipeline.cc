// Runs the stages of a plan in order.
#include "pipeline/stages.h"

namespace rankd::pipeline {

void run_pipeline(Batch& batch) {
    // Ids have to become rows even where a manifest leaves the stage out.
    if (batch.operation != wire::Operation::kScore && batch.plan.find<LookupStage>() == nullptr) run_stage(LookupStage{}, batch);
    for (const Stage& stage : batch.plan.stages) std::visit([&](const auto& one) { run_stage(one, batch); }, stage);
}

}  // namespace rankd::pipeline
