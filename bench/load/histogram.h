// Latencies in the buckets of HdrHistogram, three significant digits from a nanosecond to an hour.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "clock.h"

struct hdr_histogram;

namespace rankd::load {

class Histogram {
  public:
    Histogram();
    Histogram(Histogram&&) noexcept = default;
    ~Histogram() = default;

    /// Beyond an hour a latency counts as an hour.
    void record(Nanos latency);
    /// Forgets everything; costs what lies between the smallest and the largest latency, not the whole range.
    void clear();

    uint64_t count() const;
    /// Exact, not the bucket's. 0 when nothing was recorded.
    Nanos min() const;
    Nanos max() const;
    double mean() const;
    /// The smallest value that at least `percent` of the latencies do not exceed: the top of its bucket, at most `max()`.
    Nanos percentile(double percent) const;
    /// Calls `visit(highest value of the bucket, count)` for every bucket that is not empty, in order.
    void for_each_bucket(const std::function<void(Nanos, uint64_t)>& visit) const;

  private:
    struct Close {
        void operator()(hdr_histogram* histogram) const;
    };
    int32_t index_of(Nanos value) const;
    Nanos top_of(int32_t index) const;

    std::unique_ptr<hdr_histogram, Close> histogram_;
    double sum_ = 0;
};

}  // namespace rankd::load
