// filter: what the user has seen, what the caller excludes, and the attributes the caller asks for.
#include <algorithm>

#include "pipeline/stages.h"

namespace rankd::pipeline {

Status resolve_filters(const Batch& batch, const wire::Request& request, Arena& arena, std::span<const FilterRule>& rules) {
    if (request.filters.empty()) return Status::ok();
    const auto* stage = batch.plan.find<FilterStage>();
    const auto resolved = arena.allocate<FilterRule>(request.filters.size());
    for (size_t i = 0; i < resolved.size(); ++i) {
        const wire::AttributeFilter& filter = request.filters[i];
        const Attribute* attribute = nullptr;
        std::string names;
        for (const Attribute& known : stage->attributes) {
            if (known.name == filter.attribute) attribute = &known;
            names += (names.empty() ? "" : ", ") + known.name;
        }
        if (attribute == nullptr)
            return {Code::INVALID_ARGUMENT, "filters: \"" + std::string(filter.attribute) +
                                                "\" is not an attribute to filter by; there are " +
                                                (names.empty() ? "none" : names)};
        // A value that no item has matches nothing, which is what the caller asked for.
        ArenaVector<uint32_t> codes(arena, filter.any_of.size());
        for (const wire::Id& value : filter.any_of) {
            const uint32_t code =
                value.kind == wire::Id::Kind::kText ? attribute->ids->find(value.text) : attribute->ids->find(value.integer);
            if (code != store::kNoRow) codes.push_back(code);
        }
        resolved[i] = {attribute->column, codes.span()};
    }
    rules = resolved;
    return Status::ok();
}

bool passes(const Catalogue& items, std::span<const FilterRule> rules, uint32_t row) {
    return std::all_of(rules.begin(), rules.end(), [&](const FilterRule& rule) {
        uint32_t code = 0;
        return items.code(*rule.column, row, code) && std::find(rule.codes.begin(), rule.codes.end(), code) != rule.codes.end();
    });
}

void run_stage(const FilterStage& stage, Batch& batch) {
    RowSet& dropped = batch.scratch.rows;
    for (RequestState& state : batch.requests) {
        if (!state.is_ok()) continue;
        std::span<const FilterRule> rules;
        state.status = resolve_filters(batch, *state.request, batch.arena(), rules);
        if (!state.is_ok()) continue;
        dropped.clear(batch.items.row_count());
        for (uint32_t row : state.excluded) dropped.insert(row);
        if (stage.seen)
            for (uint32_t row : state.history) dropped.insert(row);
        if (batch.operation == wire::Operation::kSimilar) dropped.insert(state.item_row);
        const auto end = std::remove_if(state.candidates.begin(), state.candidates.end(), [&](const Candidate& candidate) {
            return dropped.contains(candidate.row) || !passes(batch.items, rules, candidate.row);
        });
        state.candidates = state.candidates.first(static_cast<size_t>(end - state.candidates.begin()));
    }
}

}  // namespace rankd::pipeline
