#include "schedule.h"

#include <algorithm>
#include <cmath>

namespace rankd::load {
namespace {

Nanos to_nanos(double seconds) {
    return static_cast<Nanos>(std::llround(seconds * static_cast<double>(kSecond)));
}

std::vector<Step> with_warmup(const Spec& spec) {
    std::vector<Step> steps{{spec.warmup_seconds, spec.profile.front().per_second}};
    steps.insert(steps.end(), spec.profile.begin(), spec.profile.end());
    return steps;
}

/// From 53 random bits, in (0, 1]: the same on every standard library, which std::exponential_distribution is not.
double uniform(std::mt19937_64& random) {
    return (static_cast<double>(random() >> 11) + 1) * 0x1p-53;
}

double mean_rate(const Recording& recording) {
    const double seconds = static_cast<double>(recording.at(recording.size() - 1).offset) / static_cast<double>(kSecond);
    return static_cast<double>(recording.size()) / std::max(seconds, 1e-3);
}

}  // namespace

Arrivals::Arrivals(Nanos begin, Nanos end, double per_second, bool is_poisson)
    : begin_(static_cast<double>(begin)),
      end_(static_cast<double>(end)),
      gap_(static_cast<double>(kSecond) / per_second),
      at_(begin_),
      is_poisson_(is_poisson) {}

bool Arrivals::next(std::mt19937_64& random, Nanos& at) {
    // Constant arrivals are multiples of the gap, not sums: no error gathers.
    at_ = is_poisson_ ? at_ - gap_ * std::log(uniform(random)) : begin_ + static_cast<double>(count_++) * gap_;
    at = static_cast<Nanos>(at_);
    return at_ < end_;
}

OpenSchedule::OpenSchedule(const Spec& spec, uint32_t corpus_size)
    : steps_(with_warmup(spec)),
      burst_(spec.burst),
      is_poisson_(spec.is_poisson),
      corpus_size_(corpus_size),
      random_(spec.seed),
      warmup_end_(to_nanos(spec.warmup_seconds)),
      arrivals_(0, 0, 1, false) {
    for (const Step& step : steps_) end_ += to_nanos(step.seconds);
    start_step(0);
    has_profile_ = next_of_profile(profile_at_);
    has_burst_ = burst_.requests > 0 && next_burst(burst_at_);
}

void OpenSchedule::start_step(size_t step) {
    step_ = step;
    const Nanos begin = step_end_;
    step_end_ = begin + to_nanos(steps_[step].seconds);
    arrivals_ = Arrivals(begin, step_end_, steps_[step].per_second, is_poisson_);
}

/// A Poisson process has no memory: at a new rate it simply starts anew.
bool OpenSchedule::next_of_profile(Nanos& at) {
    while (!arrivals_.next(random_, at)) {
        if (step_ + 1 == steps_.size()) return false;
        start_step(step_ + 1);
    }
    return true;
}

bool OpenSchedule::next_burst(Nanos& at) {
    if (burst_left_ == 0) {
        burst_left_ = burst_.requests;
        ++burst_number_;
    }
    --burst_left_;
    at = warmup_end_ + to_nanos(static_cast<double>(burst_number_) * burst_.every_ms / 1000);
    return at < end_;
}

bool OpenSchedule::next(Arrival& arrival) {
    if (!has_profile_ && !has_burst_) return false;
    if (has_profile_ && (!has_burst_ || profile_at_ <= burst_at_)) {
        arrival.at = profile_at_;
        has_profile_ = next_of_profile(profile_at_);
    } else {
        arrival.at = burst_at_;
        has_burst_ = next_burst(burst_at_);
    }
    arrival.is_measured = arrival.at >= warmup_end_;
    if (arrival.is_measured && !was_measured_) sent_ = 0;
    was_measured_ = arrival.is_measured;
    arrival.place = static_cast<uint32_t>(sent_++ % corpus_size_);
    return true;
}

ReplaySchedule::ReplaySchedule(const Spec& spec, Recording recording, uint32_t corpus_size)
    : recording_(std::move(recording)),
      corpus_size_(corpus_size),
      warmup_end_(to_nanos(spec.warmup_seconds)),
      end_(warmup_end_ + recording_.duration()),
      warmup_(0, warmup_end_, mean_rate(recording_), false) {}

bool ReplaySchedule::next(Arrival& arrival) {
    if (warmup_.next(random_, arrival.at)) {
        arrival.is_measured = false;
        arrival.place = static_cast<uint32_t>(warmup_sent_++ % corpus_size_);
        return true;
    }
    if (at_ == recording_.size()) return false;
    const RecordedArrival recorded = recording_.at(at_++);
    arrival.at = warmup_end_ + recorded.offset;
    arrival.place = recorded.place;
    arrival.is_measured = true;
    return true;
}

}  // namespace rankd::load
