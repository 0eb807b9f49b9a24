// retrieve: the union of several sources, and what each of them thinks of every candidate.
#include <algorithm>

#include "pipeline/graph_inputs.h"
#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

bool better(const index::Neighbor& a, const index::Neighbor& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
}

/// The queries of one source for all users of the batch, [U, dim]; empty when the source needs none or its graph failed.
struct SourceQueries {
    const Source* source = nullptr;
    std::span<float> values;

    std::span<const float> of(size_t user) const {
        return values.empty() ? std::span<const float>{}
                              : std::span<const float>(values).subspan(user * source->index->dim(), source->index->dim());
    }
};

/// What is left of the batch, as graphs of users read it.
std::span<UserRows> live_requests(Batch& batch) {
    const auto live = batch.arena().allocate<UserRows>(batch.requests.size());
    size_t count = 0;
    for (RequestState& state : batch.requests)
        if (state.is_ok()) live[count++] = {&state, {}};
    return live.first(count);
}

std::span<SourceQueries> run_queries(Batch& batch, std::span<const Source* const> sources, std::span<const UserRows> users) {
    const auto queries = batch.arena().allocate<SourceQueries>(sources.size());
    for (size_t s = 0; s < sources.size(); ++s) {
        queries[s] = {sources[s], {}};
        const Query& query = sources[s]->query;
        if (query.graph == nullptr || users.empty()) continue;
        const Status status = run_graph(batch, *query.graph, query.output, {users, 0}, queries[s].values);
        if (status.is_ok()) continue;
        // The other sources still answer; a request that is left with nothing falls back in `select`.
        queries[s].values = {};
        for (const UserRows& one : users) add(one.user->degraded, wire::Degraded::kModelFailed);
    }
    return queries;
}

/// score(c) = Σ over the history h of weight(h, c); left in `scratch.sums`, rows listed in `scratch.touched`.
void sum_neighbours(Batch& batch, const Source& source, std::span<const uint32_t> history) {
    Scratch& scratch = batch.scratch;
    const uint32_t row_count = batch.bundle.item_count();
    if (scratch.sums.size() < row_count) scratch.sums.resize(row_count, 0.0f);
    const size_t width = source.rows->width();
    const auto weights = batch.arena().allocate<float>(width);
    for (const uint32_t& item : history) {
        const auto rows = source.rows->u32_row(item);
        if (rows.empty()) continue;
        source.weights->gather({&item, 1}, weights.data(), width);
        for (size_t i = 0; i < width; ++i) {
            if (rows[i] >= row_count) continue;  // padding
            if (scratch.sums[rows[i]] == 0.0f) scratch.touched.push_back(rows[i]);
            scratch.sums[rows[i]] += weights[i];
        }
    }
}

void forget_neighbours(Scratch& scratch) {
    for (uint32_t row : scratch.touched) scratch.sums[row] = 0.0f;
    scratch.touched.clear();
}

/// The k best neighbours from the sums.
std::span<index::Neighbor> best_neighbours(Batch& batch, size_t k) {
    const Scratch& scratch = batch.scratch;
    const auto found = batch.arena().allocate<index::Neighbor>(scratch.touched.size());
    size_t count = 0;
    for (uint32_t row : scratch.touched)
        if (!batch.items.is_removed(row)) found[count++] = {row, scratch.sums[row]};
    const auto middle = found.begin() + static_cast<ptrdiff_t>(std::min(k, count));
    std::partial_sort(found.begin(), middle, found.begin() + static_cast<ptrdiff_t>(count), better);
    return found.first(std::min(k, count));
}

std::span<index::Neighbor> list_items(Batch& batch, const Source& source, size_t k) {
    const auto found = batch.arena().allocate<index::Neighbor>(std::min<size_t>(k, source.rows->row_count()));
    size_t count = 0;
    for (uint64_t i = 0; i < source.rows->row_count() && count < found.size(); ++i) {
        const uint32_t row = source.rows->u32_row(i)[0];
        if (row < batch.items.row_count() && !batch.items.is_removed(row)) found[count++] = {row, 0.0f};
    }
    return found.first(count);
}

std::span<index::Neighbor> search(Batch& batch, const Source& source, std::span<const float> query, size_t k) {
    const auto found = batch.arena().allocate<index::Neighbor>(std::min<size_t>(k, batch.items.row_count()));
    return found.first(batch.items.search(*source.index, query, batch.scratch.index, found));
}

/// The stored vector of the request's item; UNKNOWN_ITEM when this index does not hold it.
std::span<const float> item_query(Batch& batch, const Source& source, RequestState& state) {
    const auto query = batch.arena().allocate<float>(source.index->dim());
    if (batch.items.vector(*source.index, state.item_row, query)) return query;
    state.status = {Code::UNKNOWN_ITEM,
                    "the item is in the catalogue, but the source \"" + source.name + "\" has no vector of it"};
    return {};
}

/// What one source finds for one request.
std::span<index::Neighbor> find(Batch& batch, const SourceQueries& queries, size_t user, RequestState& state) {
    const Source& source = *queries.source;
    if (source.k == 0) return {};  // a list that only fills short answers
    // Whatever the filter takes away must not leave an answer short that the source could have filled.
    const size_t k = std::max<size_t>(source.k, state.k + state.excluded.size() + 1);
    switch (source.kind) {
        case SourceKind::kList:
            return list_items(batch, source, k);
        case SourceKind::kNeighbours: {
            sum_neighbours(batch, source, state.history);
            const auto found = best_neighbours(batch, k);
            forget_neighbours(batch.scratch);
            return found;
        }
        case SourceKind::kIndex:
            break;
    }
    const auto query = source.query.graph == nullptr ? item_query(batch, source, state) : queries.of(user);
    return query.empty() ? std::span<index::Neighbor>{} : search(batch, source, query, k);
}

void unite(Batch& batch, std::span<const SourceQueries> queries, size_t user, RequestState& state) {
    ArenaVector<Candidate> candidates(batch.arena(), 512);
    const auto lists = batch.arena().allocate<std::span<index::Neighbor>>(queries.size());
    for (size_t s = 0; s < queries.size() && state.is_ok(); ++s) lists[s] = find(batch, queries[s], user, state);
    if (!state.is_ok()) return;
    RowSet& taken = batch.scratch.rows;
    taken.clear(batch.items.row_count());
    for (uint32_t s = 0; s < lists.size(); ++s)
        for (const index::Neighbor& neighbor : lists[s])
            if (taken.insert(neighbor.row))
                candidates.push_back({neighbor.row, neighbor.score, s, static_cast<uint32_t>(candidates.size())});
    state.candidates = candidates.span();
}

/// [candidates, scored sources]: what each source that the ranking graph reads gives every candidate.
void score_candidates(Batch& batch, std::span<const SourceQueries> queries, size_t user, RequestState& state) {
    const size_t columns = queries.size();
    size_t positions = 0;
    for (const Candidate& candidate : state.candidates) positions = std::max<size_t>(positions, candidate.position + 1);
    const auto scores = batch.arena().allocate<float>(positions * columns);
    std::fill(scores.begin(), scores.end(), 0.0f);
    const auto rows = batch.arena().allocate<uint32_t>(state.candidates.size());
    const auto values = batch.arena().allocate<float>(state.candidates.size());
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = state.candidates[i].row;
    for (size_t s = 0; s < columns; ++s) {
        const Source& source = *queries[s].source;
        if (source.kind == SourceKind::kNeighbours) {
            sum_neighbours(batch, source, state.history);
            for (size_t i = 0; i < rows.size(); ++i)
                values[i] = rows[i] < batch.scratch.sums.size() ? batch.scratch.sums[rows[i]] : 0.0f;
            forget_neighbours(batch.scratch);
        } else if (source.kind == SourceKind::kIndex && !queries[s].values.empty()) {
            batch.items.score_rows(*source.index, queries[s].of(user), rows, batch.scratch.index, values);
        } else {
            continue;
        }
        for (size_t i = 0; i < rows.size(); ++i) scores[state.candidates[i].position * columns + s] = values[i];
    }
    state.source_scores = scores;
}

/// The queries of `wanted`, taken from those already run where possible.
std::span<SourceQueries> queries_for(Batch& batch, std::span<const Source* const> wanted, std::span<const SourceQueries> known,
                                     std::span<const UserRows> users) {
    ArenaVector<const Source*> missing(batch.arena(), wanted.size());
    const auto is_known = [&](const Source* source) {
        return std::any_of(known.begin(), known.end(), [&](const SourceQueries& queries) { return queries.source == source; });
    };
    for (const Source* source : wanted)
        if (!is_known(source)) missing.push_back(source);
    const auto run = run_queries(batch, missing.span(), users);
    const auto all = batch.arena().allocate<SourceQueries>(wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i)
        for (const auto list : {known, std::span<const SourceQueries>(run)})
            for (const SourceQueries& queries : list)
                if (queries.source == wanted[i]) all[i] = queries;
    return all;
}

}  // namespace

void run_stage(const RetrieveStage& stage, Batch& batch) {
    const auto users = live_requests(batch);
    const auto queries = run_queries(batch, stage.sources, users);
    const auto scored = queries_for(batch, batch.plan.scored_sources, queries, users);
    for (size_t u = 0; u < users.size(); ++u) {
        RequestState& state = *users[u].user;
        unite(batch, queries, u, state);
        if (state.is_ok() && !scored.empty()) score_candidates(batch, scored, u, state);
    }
}

void score_by_sources(Batch& batch) {
    const auto users = live_requests(batch);
    const auto scored = queries_for(batch, batch.plan.scored_sources, {}, users);
    for (size_t u = 0; u < users.size(); ++u) score_candidates(batch, scored, u, *users[u].user);
}

}  // namespace rankd::pipeline
