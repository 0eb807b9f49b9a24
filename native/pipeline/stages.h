// The stages of a pipeline; each passes once over the requests of a batch, on one thread.
#pragma once

#include "pipeline/batch.h"

namespace rankd::pipeline {

/// Resolves user, history, exclusions and supplied candidates to rows.
void run_stage(const LookupStage& stage, Batch& batch);
/// Fills `candidates` with the union of the sources, and the scores that ranking needs of them.
void run_stage(const RetrieveStage& stage, Batch& batch);
/// Drops seen, excluded and removed items, and what the request's `filters` do not want.
void run_stage(const FilterStage& stage, Batch& batch);
/// Cuts to k, fills short answers from the fallback, writes items or scores.
void run_stage(const SelectStage& stage, Batch& batch);

/// The scores that `plan.scored_sources` give a request's candidates, for `rank`, which retrieves nothing.
void score_by_sources(Batch& batch);

/// Room for one score per candidate in the order given; not-a-number until it is known.
void open_input_order(Batch& batch, RequestState& state);
/// @param candidates the next of the request's, in their order
void put_in_input_order(RequestState& state, std::span<const Candidate> candidates);

/// What `filters` of one request ask for, resolved to codes.
struct FilterRule {
    const store::Column* column = nullptr;
    std::span<const uint32_t> codes;
};
/// @return INVALID_ARGUMENT naming an attribute this operation does not filter by
Status resolve_filters(const Batch& batch, const wire::Request& request, Arena& arena, std::span<const FilterRule>& rules);
bool passes(const Catalogue& items, std::span<const FilterRule> rules, uint32_t row);

}  // namespace rankd::pipeline
