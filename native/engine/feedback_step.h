// The one step of a `feedback` batch: events become lines of the event log.
#pragma once

#include <vector>

#include "base/byte_buffer.h"
#include "pipeline/batch.h"
#include "store/event_log.h"

namespace rankd::engine {

class Model;

/// Belongs to one executor.
class FeedbackStep {
  public:
    /// @param log  nullptr: the server keeps none, and every request is told how it would
    explicit FeedbackStep(store::EventLog* log) : log_(log) {}

    /// Logs the events of every request that has not failed, all of a request or none. Where the log syncs, it returns when they
    /// are on disk: those of the whole batch, and of whoever logs at the same time, with one wait.
    void run(const Model& model, const pipeline::LiveItems& live, pipeline::Scratch& scratch);

  private:
    Status log(const Model& model, const wire::Request& request, store::EventLog::Receipt& receipt);

    store::EventLog* const log_;
    ByteBuffer lines_{4096};
    std::vector<store::EventLog::Receipt> receipts_;  ///< one per request; all empty where nobody has to wait
};

}  // namespace rankd::engine
