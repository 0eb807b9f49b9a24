// The set of rows that stages mark and forget.
#include "pipeline/batch.h"

#include <algorithm>

namespace rankd::pipeline {

void RowSet::clear(uint32_t row_count) {
    if (stamps_.size() < row_count) stamps_.resize(row_count, 0);
    if (++stamp_ == 0) {
        // After 2^32 clears old marks would look new again.
        std::fill(stamps_.begin(), stamps_.end(), 0);
        stamp_ = 1;
    }
}

}  // namespace rankd::pipeline
