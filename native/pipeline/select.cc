// select: the k best, and the promise that an answer is never empty while the catalogue has something to offer.
#include <algorithm>
#include <limits>

#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

using wire::Degraded;

bool better(const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
}

std::string_view source_name(const Batch& batch, uint32_t source) {
    const auto* retrieve = batch.plan.find<RetrieveStage>();
    return retrieve == nullptr ? std::string_view{} : std::string_view(retrieve->sources[source]->name);
}

/// One answer being filled from the fallback list, in two passes: unseen items first, seen ones only if still short.
class FallbackFiller {
  public:
    FallbackFiller(Batch& batch, RequestState& state, const Source& list, ArenaVector<wire::ScoredItem>& items)
        : batch_(batch), state_(state), list_(list), items_(items) {}

    void fill() {
        const Status status = resolve_filters(batch_, *state_.request, batch_.arena(), rules_);
        if (!status.is_ok()) return;  // told by the filter stage already
        // The list knows no scores; its items stand behind everything that was scored.
        score_ = items_.size() == 0 ? 0.0f : items_.span().back().score;
        if (pass(false)) add(state_.degraded, Degraded::kFallback);
        if (items_.size() < state_.k && pass(true)) {
            add(state_.degraded, Degraded::kFallback);
            add(state_.degraded, Degraded::kSeenRelaxed);
        }
    }

  private:
    bool pass(bool allow_seen) {
        RowSet& taken = batch_.scratch.rows;
        taken.clear(batch_.items.row_count());
        for (uint32_t row : state_.excluded) taken.insert(row);
        if (!allow_seen)
            for (uint32_t row : state_.history) taken.insert(row);
        if (batch_.operation == wire::Operation::kSimilar) taken.insert(state_.item_row);
        for (const wire::ScoredItem& item : items_.span()) taken.insert(batch_.items.row_of(item.id));
        const size_t before = items_.size();
        for (uint64_t i = 0; i < list_.rows->row_count() && items_.size() < state_.k; ++i) {
            const uint32_t row = list_.rows->u32_row(i)[0];
            if (row >= batch_.items.row_count() || batch_.items.is_removed(row) || !taken.insert(row)) continue;
            if (passes(batch_.items, rules_, row)) items_.push_back({batch_.items.id_of(row), score_, list_.name});
        }
        return items_.size() > before;
    }

    Batch& batch_;
    RequestState& state_;
    const Source& list_;
    ArenaVector<wire::ScoredItem>& items_;
    std::span<const FilterRule> rules_;
    float score_ = 0;
};

void select_best(Batch& batch, const SelectStage& stage, RequestState& state) {
    const size_t count = std::min<size_t>(state.k, state.candidates.size());
    std::partial_sort(state.candidates.begin(), state.candidates.begin() + static_cast<ptrdiff_t>(count), state.candidates.end(),
                      better);
    ArenaVector<wire::ScoredItem> items(batch.arena(), std::min<size_t>(state.k, batch.items.row_count()));
    for (const Candidate& candidate : state.candidates.first(count))
        items.push_back({batch.items.id_of(candidate.row), candidate.score, source_name(batch, candidate.source)});
    if (items.size() < state.k && stage.fallback != nullptr && batch.operation != wire::Operation::kRank)
        FallbackFiller(batch, state, *stage.fallback, items).fill();
    if (items.size() < state.k && batch.operation != wire::Operation::kRank) add(state.degraded, Degraded::kShortCatalogue);
    state.items = items.span();
}

}  // namespace

void open_input_order(Batch& batch, RequestState& state) {
    state.scores = batch.arena().allocate<float>(state.request->candidate_count());
    std::fill(state.scores.begin(), state.scores.end(), std::numeric_limits<float>::quiet_NaN());
}

void put_in_input_order(RequestState& state, std::span<const Candidate> candidates) {
    for (const Candidate& candidate : candidates) {
        state.scores[candidate.position] = candidate.score;
        state.scores_ready = candidate.position + 1;
    }
}

namespace {

/// Candidates that are not in the catalogue keep what is no number; a plan without a graph ranks by what its sources gave.
void close_input_order(Batch& batch, RequestState& state) {
    if (state.scores.empty()) {
        open_input_order(batch, state);
        put_in_input_order(state, state.candidates);
    }
    state.scores_ready = state.scores.size();
}

}  // namespace

void run_stage(const SelectStage& stage, Batch& batch) {
    for (RequestState& state : batch.requests) {
        if (!state.is_ok()) continue;
        if (batch.operation == wire::Operation::kRank && state.request->order == wire::Order::kInput) {
            close_input_order(batch, state);
        } else {
            select_best(batch, stage, state);
        }
    }
}

}  // namespace rankd::pipeline
