#include "histogram.h"

#include <hdr_histogram.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

namespace rankd::load {
namespace {

constexpr Nanos kLongest = 3600 * kSecond;
constexpr int kDigits = 3;

}  // namespace

void Histogram::Close::operator()(hdr_histogram* histogram) const {
    hdr_close(histogram);
}

Histogram::Histogram() {
    hdr_histogram* histogram = nullptr;
    if (hdr_init(1, kLongest, kDigits, &histogram) != 0) throw std::bad_alloc();
    histogram_.reset(histogram);
}

void Histogram::record(Nanos latency) {
    latency = std::clamp<Nanos>(latency, 0, kLongest);
    hdr_record_value(histogram_.get(), latency);
    sum_ += static_cast<double>(latency);
}

uint64_t Histogram::count() const {
    return static_cast<uint64_t>(histogram_->total_count);
}

Nanos Histogram::max() const {
    return histogram_->max_value;
}

/// The library keeps the smallest value above zero.
Nanos Histogram::min() const {
    if (count() == 0 || histogram_->counts[0] > 0) return 0;
    return histogram_->min_value;
}

double Histogram::mean() const {
    return count() == 0 ? 0 : sum_ / static_cast<double>(count());
}

/// Bucket bounds rise with the index, so a search finds the bucket with public functions of the library alone.
int32_t Histogram::index_of(Nanos value) const {
    int32_t low = 0, high = histogram_->counts_len;
    while (high - low > 1) {
        const int32_t middle = low + (high - low) / 2;
        (hdr_value_at_index(histogram_.get(), middle) <= value ? low : high) = middle;
    }
    return low;
}

Nanos Histogram::top_of(int32_t index) const {
    const Nanos top = hdr_next_non_equivalent_value(histogram_.get(), hdr_value_at_index(histogram_.get(), index)) - 1;
    return std::min(top, max());
}

void Histogram::clear() {
    if (count() == 0) return;
    const int32_t first = index_of(min()), last = index_of(max());
    std::memset(histogram_->counts + first, 0, static_cast<size_t>(last - first + 1) * sizeof(int64_t));
    histogram_->total_count = 0;
    histogram_->min_value = INT64_MAX;
    histogram_->max_value = 0;
    sum_ = 0;
}

Nanos Histogram::percentile(double percent) const {
    if (count() == 0) return 0;
    const auto rank = static_cast<int64_t>(std::max(1.0, std::ceil(percent / 100 * static_cast<double>(count()))));
    const int32_t last = index_of(max());
    int64_t seen = 0;
    for (int32_t index = index_of(min()); index < last; ++index) {
        seen += histogram_->counts[index];
        if (seen >= rank) return top_of(index);
    }
    return max();
}

void Histogram::for_each_bucket(const std::function<void(Nanos, uint64_t)>& visit) const {
    if (count() == 0) return;
    const int32_t last = index_of(max());
    for (int32_t index = index_of(min()); index <= last; ++index) {
        if (histogram_->counts[index] > 0) visit(top_of(index), static_cast<uint64_t>(histogram_->counts[index]));
    }
}

}  // namespace rankd::load
