// What a run counts. Only requests of the measured part, told by their intended time, reach the histogram and the timeline.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "outcome.h"
#include "recording.h"
#include "requests.h"

namespace rankd::load {

/// A step of the timeline; requests belong to it by the time at which they ended.
struct Interval {
    uint64_t completed = 0, errors = 0;
    Nanos p50 = 0, p99 = 0, max = 0;
};

/// What became of the requests of one group.
struct Group {
    uint64_t intended = 0, completed = 0, failed = 0;
    Histogram histogram;
};

class Recorder {
  public:
    /// @param begin, end  the measured part
    /// @param interval    width of a step of the timeline
    Recorder(Nanos begin, Nanos end, Nanos interval);

    /// Counts so many groups apart, too; `Request::group` must lie below.
    void tell_groups_apart(uint32_t count) { groups_.resize(count); }
    /// Answers count as in time when they come within this of the intended send.
    void set_deadline(Nanos deadline) { deadline_ = deadline; }
    /// Keeps intended times and places for a recording.
    void keep_arrivals(size_t expected);

    void count_intended(const Request& request);
    void count_sent(const Request& request) { sent_ += request.is_measured && request.attempts == 1; }
    void count_retry(const Request& request) { retries_ += request.is_measured; }
    /// Sends that left too late by our own fault (see lateness.h).
    void count_missed(uint64_t count) { missed_ += count; }
    /// Requests that were due and that this program never came to send.
    void count_never_sent(uint64_t count);
    void count_finished(const Request& request, const Outcome& outcome, Nanos now);
    /// Bytes of a server that belong to no request.
    void count_stray(Nanos now);

    /// Closes the timeline.
    void close();

    /// Requests of the measured part that have not ended yet.
    uint64_t open() const { return intended_ - never_sent_ - completed_ - failed_; }

    Nanos begin() const { return begin_; }
    Nanos end() const { return end_; }
    Nanos interval() const { return interval_; }
    uint64_t intended() const { return intended_; }
    uint64_t sent() const { return sent_; }
    uint64_t completed() const { return completed_; }
    uint64_t in_time() const { return in_time_; }
    uint64_t unanswered() const { return intended_ - completed_ - failed_; }
    uint64_t retries() const { return retries_; }
    uint64_t missed() const { return missed_; }
    /// Answers without an error that came within the measured part, of late requests of the warm-up too.
    uint64_t completed_within() const { return completed_within_; }
    /// Whether any answer came at all, of an error or in the warm-up too.
    bool was_answered() const { return was_answered_; }
    const std::array<uint64_t, kOutcomes>& errors() const { return errors_; }
    const Histogram& histogram() const { return histogram_; }
    const std::vector<Interval>& timeline() const { return timeline_; }
    const std::vector<Group>& groups() const { return groups_; }
    const std::vector<RecordedArrival>& arrivals() const { return arrivals_; }

  private:
    void count_completed(const Request& request, Nanos latency);
    void advance_timeline(Nanos now);
    void close_interval();

    Nanos begin_, end_, interval_;
    Nanos interval_end_;
    Nanos deadline_ = kForever;
    uint64_t intended_ = 0, sent_ = 0, completed_ = 0, in_time_ = 0, failed_ = 0, retries_ = 0, missed_ = 0, never_sent_ = 0,
             completed_within_ = 0;
    bool was_answered_ = false, keeps_arrivals_ = false;
    std::array<uint64_t, kOutcomes> errors_{};
    Histogram histogram_, interval_histogram_;
    uint64_t interval_errors_ = 0;
    std::vector<Interval> timeline_;
    std::vector<Group> groups_;
    std::vector<RecordedArrival> arrivals_;
};

}  // namespace rankd::load
