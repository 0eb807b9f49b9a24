// What one operation of one model costs, learnt from what it did. Estimates steer scheduling, never correctness.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "wire/codec.h"

namespace rankd::engine {

/// Thread-safe without locks: of two threads that learn at the same moment, one observation may be lost.
///
/// A batch of n units (rows where the caller sends them, else requests) costs n times what a unit costs in batches about that
/// large: per-batch overhead shows as dearer units in the smaller buckets. One factor over all buckets follows what changes them
/// all, a slower processor or a dearer model, so that a size unseen for a while is not judged by old times.
class CostModel {
  public:
    /// Expected time of a batch of `units`, in µs; 0 before anything was learnt.
    double estimate_us(double units) const;
    /// How many units fit a time, at least 1; 0 before anything was learnt.
    double units_within(double us) const;
    /// @param units at least 1
    void learn(double units, double elapsed_us);

    /// Begins with what another has learnt: a new version of a model costs about what the last one did.
    void adopt(const CostModel& other);

    /// Expected units of a body whose operation carries its rows; 1 before anything was learnt.
    double units_of(wire::Codec codec, size_t body_bytes) const;
    void learn_size(wire::Codec codec, double units, size_t body_bytes);

  private:
    /// Sizes 1, 2-3, 4-7, … units.
    static constexpr size_t kBuckets = 16;
    static size_t bucket_of(double units);
    double unit_us(size_t bucket) const;
    double tempered(double surprise);

    std::atomic<double> factor_{1};
    std::atomic<double> last_surprise_{1};
    std::array<std::atomic<double>, kBuckets> unit_us_{};          ///< before the factor; 0 = unseen
    std::array<std::atomic<double>, wire::kCodecs> unit_bytes_{};  ///< by codec; 0 = unseen
};

}  // namespace rankd::engine
