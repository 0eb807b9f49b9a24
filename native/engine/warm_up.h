// Work for a model that does not serve yet, so that nobody's request is the first: ONNX Runtime's arenas, our scratch and the
// pages of tables are as large and as warm as service will want them.
#pragma once

#include <map>
#include <vector>

#include "engine/executor.h"
#include "engine/golden_file.h"
#include "engine/model.h"

namespace rankd::engine {

class WarmUp {
  public:
    /// How long replaying may take, whatever there is to replay.
    static constexpr Micros kBudget = 1'000'000;

    void add(const GoldenFile& golden);
    void add(wire::Operation operation, RecordedBody body);
    /// What a version that serves has recorded, and how large its batches were.
    void add(const Model& serving);

    struct Report {
        uint32_t requests = 0;
        uint32_t failed = 0;  ///< no fault of the bundle: its catalogue may differ from that of the version that was asked
    };
    /// Replays each request alone, then all of them in batches of 2, 4, … up to the largest that was seen.
    Report run(Model& model, Executor& executor, const Clock& clock) const;

  private:
    struct Replay {
        std::vector<Job> jobs;
        size_t largest_batch = 0;
    };
    std::map<wire::Operation, Replay> replays_;
    std::vector<RecordedBody> bodies_;  ///< jobs point to their bytes, which stay where they are
};

}  // namespace rankd::engine
