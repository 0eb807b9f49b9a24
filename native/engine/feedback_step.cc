#include "engine/feedback_step.h"

#include <algorithm>

#include "engine/model.h"
#include "pipeline/catalogue.h"
#include "store/event_line.h"

namespace rankd::engine {
namespace {

/// Only a model with items can miss one; a scorer's caller means what nobody here can check.
bool knows_all(const Model& model, const pipeline::Catalogue& catalogue, std::span<const wire::FeedbackEvent> events) {
    return model.bundle().item_count() == 0 || std::all_of(events.begin(), events.end(), [&](const wire::FeedbackEvent& event) {
               return catalogue.row_of(event.item) != store::kNoRow;
           });
}

}  // namespace

void FeedbackStep::run(const Model& model, const pipeline::LiveItems& live, pipeline::Scratch& scratch) {
    const pipeline::Catalogue catalogue(model.bundle(), live);
    receipts_.assign(scratch.requests.size(), nullptr);
    for (size_t i = 0; i < scratch.requests.size(); ++i) {
        pipeline::RequestState& state = scratch.requests[i];
        if (!state.is_ok()) continue;
        state.status = log(model, *state.request, receipts_[i]);
        // An item that is newer than the bundle is what the next training wants to hear of; an id of the wrong form looks the
        // same.
        if (state.is_ok() && !knows_all(model, catalogue, state.request->events))
            add(state.degraded, wire::Degraded::kUnknownItems);
    }
    for (size_t i = 0; i < receipts_.size(); ++i)
        if (receipts_[i] != nullptr) scratch.requests[i].status = log_->wait(receipts_[i]);
}

Status FeedbackStep::log(const Model& model, const wire::Request& request, store::EventLog::Receipt& receipt) {
    if (log_ == nullptr)
        return {Code::UNSUPPORTED_OPERATION,
                "feedback is not served: this server keeps no event log, start it with --event-log <folder>"};
    lines_.recycle();
    const int64_t now_ms = log_->unix_ms();
    for (const wire::FeedbackEvent& event : request.events)
        store::append_line(
            {now_ms, model.name(), model.version(), event.request_id, event.user, event.item, event.name, event.value}, lines_);
    return log_->append(lines_.bytes(), static_cast<uint32_t>(request.events.size()), receipt);
}

}  // namespace rankd::engine
