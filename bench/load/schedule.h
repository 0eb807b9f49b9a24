// When requests are due: a pure function of spec and seed, that knows neither clock nor server.
#pragma once

#include <memory>
#include <random>

#include "clock.h"
#include "recording.h"
#include "spec.h"

namespace rankd::load {

struct Arrival {
    Nanos at = 0;        ///< since the start of the run, warm-up included; never earlier than the arrival before
    uint32_t place = 0;  ///< in the corpus
    bool is_measured = false;
};

class Schedule {
  public:
    virtual ~Schedule() = default;
    /// The next arrival. @return false when there is none any more
    virtual bool next(Arrival& arrival) = 0;
    /// The end of the measured part, since the start of the run.
    virtual Nanos end() const = 0;
};

/// Constant or Poisson arrivals of one rate in [begin, end).
class Arrivals {
  public:
    Arrivals(Nanos begin, Nanos end, double per_second, bool is_poisson);
    /// @return false behind the end
    bool next(std::mt19937_64& random, Nanos& at);

  private:
    double begin_, end_, gap_, at_;
    uint64_t count_ = 0;
    bool is_poisson_;
};

/// Warm-up at the first rate, then the steps of the profile, with bursts on top. Places in the corpus go round, from 0 again when
/// measuring starts.
class OpenSchedule final : public Schedule {
  public:
    OpenSchedule(const Spec& spec, uint32_t corpus_size);
    bool next(Arrival& arrival) override;
    Nanos end() const override { return end_; }

  private:
    bool next_of_profile(Nanos& at);
    bool next_burst(Nanos& at);
    void start_step(size_t step);

    std::vector<Step> steps_;  ///< the first one is the warm-up, which may be empty
    Burst burst_;
    bool is_poisson_;
    uint32_t corpus_size_;
    std::mt19937_64 random_;
    size_t step_ = 0;
    Nanos step_end_ = 0, warmup_end_ = 0, end_ = 0;
    Arrivals arrivals_;
    Nanos profile_at_ = 0, burst_at_ = 0;
    bool has_profile_ = false, has_burst_ = false;
    uint64_t burst_number_ = 0;
    uint32_t burst_left_ = 0;
    uint64_t sent_ = 0;  ///< of the part (warm-up or measured) that runs
    bool was_measured_ = false;
};

/// What a recording holds, behind a warm-up of constant arrivals at the recording's mean rate.
class ReplaySchedule final : public Schedule {
  public:
    ReplaySchedule(const Spec& spec, Recording recording, uint32_t corpus_size);
    bool next(Arrival& arrival) override;
    Nanos end() const override { return end_; }

  private:
    Recording recording_;
    uint32_t corpus_size_;
    std::mt19937_64 random_;
    Nanos warmup_end_, end_;
    Arrivals warmup_;
    uint64_t warmup_sent_ = 0, at_ = 0;
};

}  // namespace rankd::load
