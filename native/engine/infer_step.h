// The one step of an `infer` batch: what the response cache knows needs no run, what was run is kept there for the next to ask.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/inference_statistics.h"
#include "engine/response_cache.h"
#include "pipeline/batch.h"
#include "pipeline/infer_plan.h"

namespace rankd::engine {

class Model;

/// When the parts of a batch were, that every one of its requests took part in.
struct BatchTimes {
    Micros started_at = 0, decoded_at = 0;
};

/// Belongs to one executor.
class InferStep {
  public:
    explicit InferStep(const Clock& clock) : clock_(clock) {}

    /// Answers every request of the batch that has not failed. A request that another thread computes at this moment waits for
    /// it, until its deadline at most; by then this batch's own claims have ended, so that nobody waits in a circle.
    /// @param deadlines  one per request, of the same clock; 0 = none
    void run(Model& model, pipeline::Scratch& scratch, std::span<const Micros> deadlines);
    void count_runs(Model& model, const pipeline::Scratch& scratch) const;
    /// Of a request that was answered well, when its answer has been encoded.
    InferenceOutcome outcome(size_t i, const pipeline::Scratch& scratch, Micros submitted_at, const BatchTimes& batch,
                             Micros encoding_since) const;
    /// Whether the request was computed here, and not answered from the cache.
    static bool is_computed(const pipeline::RequestState& state) { return state.infer_run != pipeline::kNoRun; }
    /// Lets go of the responses that answers were encoded from.
    void release() { asked_.clear(); }

  private:
    /// What the cache said of one request.
    struct Asked {
        ResponseKey key;
        ResponseCache::Found found;
        uint32_t cache_us = 0;  ///< spent on the cache
    };

    void run_cached(const pipeline::InferPlan& plan, Model& model, pipeline::Scratch& scratch, std::span<const Micros> deadlines);
    void ask(size_t i, pipeline::RequestState& state);
    void keep(pipeline::Scratch& scratch);
    void wait(pipeline::Scratch& scratch, std::span<const Micros> deadlines);

    const Clock& clock_;
    ResponseCache* cache_ = nullptr;  ///< of the batch's model
    std::vector<Asked> asked_;        ///< one per request; empty where the model has no cache
};

}  // namespace rankd::engine
