// Counts of values by bucket. The buckets are the same wherever they are counted, so that histograms of threads, models and pods
// add up.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "engine/per_writer.h"

namespace rankd::engine {

/// Upper bounds of buckets, each at least twice the one before; a value's bucket is found by its bits and one comparison.
class Scale {
  public:
    static constexpr size_t kMaxBounds = 23;

    template <size_t kCount>
    consteval explicit Scale(const std::array<uint32_t, kCount>& bounds) : size_(kCount) {
        static_assert(kCount <= kMaxBounds);
        bounds_.fill(std::numeric_limits<uint32_t>::max());
        std::copy(bounds.begin(), bounds.end(), bounds_.begin());
        for (size_t width = 1; width < first_.size(); ++width) {
            const uint32_t smallest = uint32_t{1} << (width - 1);
            while (first_[width] < size_ && bounds_[first_[width]] < smallest) ++first_[width];
        }
    }

    constexpr std::span<const uint32_t> bounds() const { return {bounds_.data(), size_}; }
    constexpr bool is_doubling() const {
        for (size_t i = 1; i < size_; ++i)
            if (bounds_[i] / 2 < bounds_[i - 1]) return false;
        return true;
    }
    /// The first bucket whose bound is not below `value`; `bounds().size()` when all are.
    size_t bucket(uint32_t value) const {
        // Values of one width differ by less than a factor of two, so at most one bound lies among them.
        const size_t first = first_[static_cast<size_t>(std::bit_width(value))];
        return first + (value > bounds_[first] ? 1 : 0);
    }

  private:
    size_t size_;
    std::array<uint32_t, kMaxBounds + 1> bounds_{};
    std::array<uint8_t, 33> first_{};  ///< by bits of the value: the bucket of the smallest such value
};

/// 1 µs to 10 s in steps of 1, 2, 5: for everything that is a duration.
inline constexpr Scale kDurationScale(std::array<uint32_t, 22>{
    1,     2,      5,      10,     20,      50,      100,     200,       500,       1'000,     2'000,
    5'000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000});
/// 1 to 4096 in powers of two.
inline constexpr Scale kBatchScale(std::array<uint32_t, 13>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096});
static_assert(kDurationScale.is_doubling() && kBatchScale.is_doubling());

struct HistogramSnapshot {
    HistogramSnapshot() = default;
    explicit HistogramSnapshot(const Scale& scale);

    std::vector<uint32_t> bounds;
    std::vector<uint64_t> counts;  ///< one more than bounds: the last holds what lies above them all
    uint64_t sum = 0;

    /// How many values were counted.
    uint64_t total() const { return std::accumulate(counts.begin(), counts.end(), uint64_t{0}); }
};

/// What one thread (or, shared, several) has counted.
template <const Scale& kScale>
class Histogram {
  public:
    void add(uint32_t value, bool is_shared) {
        counts_[kScale.bucket(value)].add(1, is_shared);
        sum_.add(value, is_shared);
    }
    /// @param total made with the same scale
    void add_to(HistogramSnapshot& total) const {
        for (size_t i = 0; i < counts_.size(); ++i) total.counts[i] += counts_[i].value();
        total.sum += sum_.value();
    }

  private:
    std::array<Count, kScale.bounds().size() + 1> counts_;
    Count sum_;
};

using DurationHistogram = Histogram<kDurationScale>;
using BatchHistogram = Histogram<kBatchScale>;

}  // namespace rankd::engine
