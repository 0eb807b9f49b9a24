#include "engine/histogram.h"

namespace rankd::engine {

HistogramSnapshot::HistogramSnapshot(const Scale& scale)
    : bounds(scale.bounds().begin(), scale.bounds().end()), counts(bounds.size() + 1, 0) {}

}  // namespace rankd::engine
