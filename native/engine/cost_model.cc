#include "engine/cost_model.h"

#include <algorithm>
#include <bit>

namespace rankd::engine {
namespace {

/// An exponential mean over about the last 8 batches: it follows a model that doubled within a few of them.
constexpr double kFactorWeight = 1.0 / 8;
/// The shape over the sizes changes only with the model.
constexpr double kShapeWeight = 1.0 / 16;
/// One batch that was interrupted says little; what really became so much dearer says it again, and then it is believed.
constexpr double kMostSurprise = 4, kMostRepeated = 64;

double load(const std::atomic<double>& value) {
    return value.load(std::memory_order_relaxed);
}
void store(std::atomic<double>& value, double now) {
    value.store(now, std::memory_order_relaxed);
}

}  // namespace

size_t CostModel::bucket_of(double units) {
    const auto whole = static_cast<uint64_t>(std::max(units, 1.0));
    return std::min<size_t>(static_cast<size_t>(std::bit_width(whole)) - 1, kBuckets - 1);
}

/// Of an unseen size: between two that were seen the price falls as a fixed cost over more and more units would have it.
double CostModel::unit_us(size_t bucket) const {
    const auto middle = [](size_t b) { return 1.5 * static_cast<double>(size_t{1} << b); };
    size_t below = bucket + 1, above = bucket;
    while (below > 0 && load(unit_us_[below - 1]) == 0) --below;
    while (above < kBuckets && load(unit_us_[above]) == 0) ++above;
    if (below == 0 && above == kBuckets) return 0;
    if (below == 0) return load(unit_us_[above]);
    const double dear = load(unit_us_[below - 1]);
    if (above == kBuckets || above == below - 1) return dear;
    const double cheap = std::min(load(unit_us_[above]), dear);
    const double fixed_us = (dear - cheap) / (1 / middle(below - 1) - 1 / middle(above));
    return cheap + fixed_us * (1 / middle(bucket) - 1 / middle(above));
}

double CostModel::estimate_us(double units) const {
    return load(factor_) * std::max(units, 1.0) * unit_us(bucket_of(units));
}

double CostModel::units_within(double us) const {
    for (size_t b = kBuckets; b-- > 0;) {
        const double each = load(factor_) * unit_us(b), least = static_cast<double>(size_t{1} << b);
        if (each <= 0) return 0;
        if (least * each <= us) return std::min(us / each, b + 1 == kBuckets ? us / each : 2 * least);
    }
    return 1;
}

double CostModel::tempered(double surprise) {
    const double last = last_surprise_.exchange(surprise, std::memory_order_relaxed);
    const bool is_repeated = std::min(surprise, last) > kMostSurprise || std::max(surprise, last) < 1 / kMostSurprise;
    const double most = is_repeated ? kMostRepeated : kMostSurprise;
    return std::clamp(surprise, 1 / most, most);
}

void CostModel::learn(double units, double elapsed_us) {
    std::atomic<double>& shape = unit_us_[bucket_of(units)];
    const double factor = load(factor_), before = load(shape);
    const double seen = std::max(elapsed_us, 0.1) / units;
    if (before == 0) return store(shape, seen / factor);
    const double surprise = tempered(seen / (factor * before));
    store(factor_, factor * (1 + kFactorWeight * (surprise - 1)));
    store(shape, before * (1 + kShapeWeight * (surprise - 1)));
}

void CostModel::adopt(const CostModel& other) {
    store(factor_, load(other.factor_));
    for (size_t b = 0; b < kBuckets; ++b) store(unit_us_[b], load(other.unit_us_[b]));
    for (size_t codec = 0; codec < wire::kCodecs; ++codec) store(unit_bytes_[codec], load(other.unit_bytes_[codec]));
}

double CostModel::units_of(wire::Codec codec, size_t body_bytes) const {
    const double each = load(unit_bytes_[static_cast<size_t>(codec)]);
    return each == 0 ? 1 : std::max(1.0, static_cast<double>(body_bytes) / each);
}

void CostModel::learn_size(wire::Codec codec, double units, size_t body_bytes) {
    std::atomic<double>& slot = unit_bytes_[static_cast<size_t>(codec)];
    const double before = load(slot), seen = static_cast<double>(std::max<size_t>(body_bytes, 1)) / units;
    store(slot, before == 0 ? seen : before + kShapeWeight * (seen - before));
}

}  // namespace rankd::engine
