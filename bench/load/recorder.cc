#include "recorder.h"

#include <algorithm>

namespace rankd::load {

Recorder::Recorder(Nanos begin, Nanos end, Nanos interval)
    : begin_(begin), end_(end), interval_(interval), interval_end_(begin + interval) {
    timeline_.reserve(static_cast<size_t>((end - begin) / interval + 2));
}

void Recorder::keep_arrivals(size_t expected) {
    keeps_arrivals_ = true;
    arrivals_.reserve(expected);
}

void Recorder::count_intended(const Request& request) {
    if (!request.is_measured) return;
    ++intended_;
    if (!groups_.empty()) ++groups_[request.group].intended;
    if (keeps_arrivals_) arrivals_.push_back({request.intended - begin_, request.place});
}

void Recorder::count_never_sent(uint64_t count) {
    intended_ += count;
    missed_ += count;
    never_sent_ += count;
}

void Recorder::close_interval() {
    const Histogram& histogram = interval_histogram_;
    timeline_.push_back(
        {histogram.count(), interval_errors_, histogram.percentile(50), histogram.percentile(99), histogram.max()});
    interval_histogram_.clear();
    interval_errors_ = 0;
    interval_end_ += interval_;
}

void Recorder::advance_timeline(Nanos now) {
    while (now >= interval_end_) close_interval();
}

void Recorder::count_finished(const Request& request, const Outcome& outcome, Nanos now) {
    was_answered_ |= outcome.code != kConnectionLost;
    if (outcome.is_ok) completed_within_ += now >= begin_ && now < end_;
    if (!request.is_measured) return;
    advance_timeline(now);
    if (!outcome.is_ok) {
        ++failed_;
        ++errors_[outcome.code];
        ++interval_errors_;
        if (!groups_.empty()) ++groups_[request.group].failed;
        return;
    }
    count_completed(request, now - request.intended);
}

void Recorder::count_completed(const Request& request, Nanos latency) {
    ++completed_;
    in_time_ += latency <= deadline_;
    histogram_.record(latency);
    interval_histogram_.record(latency);
    if (groups_.empty()) return;
    ++groups_[request.group].completed;
    groups_[request.group].histogram.record(latency);
}

void Recorder::count_stray(Nanos now) {
    if (now < begin_) return;
    advance_timeline(now);
    ++errors_[kProtocol];
    ++interval_errors_;
}

void Recorder::close() {
    advance_timeline(end_ - 1);
    const bool is_empty = interval_histogram_.count() == 0 && interval_errors_ == 0;
    if (!is_empty || interval_end_ - interval_ < end_) close_interval();
}

}  // namespace rankd::load
