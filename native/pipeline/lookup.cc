// lookup: the caller's ids become rows; unknown ones are dropped and flagged, never an error.
#include <algorithm>

#include "pipeline/stages.h"

namespace rankd::pipeline {
namespace {

using wire::Degraded;

/// Known rows of `ids` in their order, each once; of an id given twice the later place counts.
std::span<const uint32_t> unique_rows(Batch& batch, std::span<const wire::Id> ids, bool& has_unknown) {
    const auto rows = batch.arena().allocate<uint32_t>(ids.size());
    batch.items.rows_of(ids, batch.arena(), rows);
    RowSet& seen = batch.scratch.rows;
    seen.clear(batch.items.row_count());
    size_t first = rows.size();
    for (size_t i = rows.size(); i-- > 0;) {
        if (rows[i] == store::kNoRow) {
            has_unknown = true;
        } else if (seen.insert(rows[i])) {
            rows[--first] = rows[i];
        }
    }
    return rows.subspan(first);
}

void look_up_user(Batch& batch, RequestState& state) {
    const wire::Id& user = state.request->user;
    if (user.is_none()) return;
    uint32_t row = store::kNoRow;
    if (const store::IdMap* ids = batch.bundle.user_ids())
        row = user.kind == wire::Id::Kind::kText ? ids->find(user.text) : ids->find(user.integer);
    if (row == store::kNoRow) {
        add(state.degraded, Degraded::kUnknownUser);
    } else {
        state.user_row = row + 1;  // row 0 of every user table is the unknown user
    }
}

void look_up_history(Batch& batch, RequestState& state) {
    if (state.request->has_history) {
        bool has_unknown = false;
        state.history = unique_rows(batch, state.request->history, has_unknown);
        if (has_unknown) add(state.degraded, Degraded::kUnknownItems);
    } else if (state.user_row != 0 && batch.bundle.history() != nullptr) {
        const auto published = batch.bundle.history()->u32_row(state.user_row);
        const auto rows = batch.arena().allocate<uint32_t>(published.size());
        const auto end = std::copy_if(published.begin(), published.end(), rows.begin(), [&](uint32_t row) {
            return row < batch.items.row_count() && !batch.items.is_removed(row);
        });
        state.history = {rows.data(), static_cast<size_t>(end - rows.begin())};
    }
    if (state.history.empty() && state.user_row == 0) add(state.degraded, Degraded::kNoHistory);
}

uint32_t candidate_row(const Batch& batch, const wire::Request& request, size_t i) {
    if (request.candidate_form == wire::CandidateForm::kIds64) {
        uint64_t id = 0;
        std::memcpy(&id, request.candidate_bytes.data() + i * sizeof(id), sizeof(id));
        return batch.items.row_of(wire::Id::of(id));
    }
    uint32_t row = 0;
    std::memcpy(&row, request.candidate_bytes.data() + i * sizeof(row), sizeof(row));
    return row < batch.items.row_count() && !batch.items.is_removed(row) ? row : store::kNoRow;
}

void look_up_candidates(Batch& batch, RequestState& state) {
    const wire::Request& request = *state.request;
    const size_t count = request.candidate_count();
    const auto rows = batch.arena().allocate<uint32_t>(count);
    if (request.candidate_form == wire::CandidateForm::kIds) {
        batch.items.rows_of(request.candidates, batch.arena(), rows);
    } else {
        for (size_t i = 0; i < count; ++i) rows[i] = candidate_row(batch, request, i);
    }
    const auto candidates = batch.arena().allocate<Candidate>(count);
    size_t known = 0;
    for (uint32_t i = 0; i < count; ++i)
        if (rows[i] != store::kNoRow) candidates[known++] = {rows[i], 0.0f, 0, i};
    if (known < count) add(state.degraded, Degraded::kUnknownItems);
    state.candidates = candidates.first(known);
}

void look_up_item(Batch& batch, RequestState& state) {
    const wire::Id& item = state.request->item;
    state.item_row = batch.items.row_of(item);
    if (state.item_row != store::kNoRow) return;
    const std::string name =
        item.kind == wire::Id::Kind::kText ? "\"" + std::string(item.text) + "\"" : std::to_string(item.integer);
    state.status = {Code::UNKNOWN_ITEM, "item " + name + " is not in the catalogue of \"" + batch.bundle.manifest().name +
                                            "\" (" + std::to_string(batch.bundle.item_count()) + " items)"};
}

Status check_names(std::string_view field, wire::FeatureMap features, const std::vector<std::string>& known) {
    for (const wire::NamedNumber& feature : features) {
        if (std::find(known.begin(), known.end(), feature.name) != known.end()) continue;
        std::string names;
        for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
        return {Code::INVALID_ARGUMENT, std::string(field) + ": this model reads no \"" + std::string(feature.name) +
                                            "\"; it reads " + (names.empty() ? "none" : names)};
    }
    return Status::ok();
}

Status check_features(const Plan& plan, const wire::Request& request) {
    RANKD_RETURN_IF_ERROR(check_names("features", request.features, plan.feature_names));
    RANKD_RETURN_IF_ERROR(check_names("context", request.context, plan.context_names));
    for (const wire::FeatureMap& features : request.candidate_features)
        RANKD_RETURN_IF_ERROR(check_names("candidates[].features", features, plan.candidate_feature_names));
    return Status::ok();
}

}  // namespace

void run_stage(const LookupStage&, Batch& batch) {
    const auto* select = batch.plan.find<SelectStage>();
    for (RequestState& state : batch.requests) {
        if (!state.is_ok()) continue;
        state.status = check_features(batch.plan, *state.request);
        if (!state.is_ok()) continue;
        state.k = state.request->k.value_or(select ? select->k : 0);
        bool has_unknown = false;
        state.excluded = unique_rows(batch, state.request->exclude, has_unknown);
        if (batch.operation == wire::Operation::kSimilar) {
            look_up_item(batch, state);
            continue;
        }
        look_up_user(batch, state);
        look_up_history(batch, state);
        if (batch.operation == wire::Operation::kRank) look_up_candidates(batch, state);
    }
}

}  // namespace rankd::pipeline
