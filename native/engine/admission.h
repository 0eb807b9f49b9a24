// The door of a queue: how long a request would wait, learnt from how fast the queue has been worked off.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace rankd::engine {

/// One per queue; not thread-safe.
class Admission {
  public:
    /// Expected time until so much expected work is done, in µs.
    double wait_us(double work_us) const { return work_us / rate_; }

    /// Between two looks the queue was never empty, and so much expected work was finished.
    void learn(double work_us, Micros elapsed);

  private:
    /// What the queue's requests were expected to take over what they took: sockets, other processes and the cost of batches that
    /// were smaller than usual make it less than 1, batches and helping threads more.
    double rate_ = 1;
};

/// OVERLOADED, with the advice to come back when the request would be in time.
Status overloaded(double wait_us, double allowed_us);
/// OVERLOADED because of a bound, with the advice to come back when that much has been done.
Status overloaded(const std::string& reason, double wait_us);

}  // namespace rankd::engine
