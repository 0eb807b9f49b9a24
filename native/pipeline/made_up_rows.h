// Tensors for a graph that nobody has described: a few rows of small values, together and one by one.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "session/session.h"

namespace rankd::pipeline {

/// More than two, so that what treats the first or the last row apart is seen.
constexpr int64_t kMadeUpRows = 3;

struct Recipe {
    int64_t free_size;  ///< of free dimensions beyond the first
    uint32_t integers;  ///< values are below it: small, so that they are valid as indices
    uint32_t seed;
};

/// A tensor of `kMadeUpRows` rows, and each of them as a tensor of its own. Integers count up along a row and start differently
/// in each, so that neighbours differ; floats are random, within (-1, 1) and exact in 16 bits.
class MadeUpRows {
  public:
    /// @param input  its place: different inputs are not alike
    MadeUpRows(const session::TensorInfo& info, const Recipe& recipe, uint32_t input);

    /// Both stand until the next call of either.
    session::AnyTensor together() { return rows(0, kMadeUpRows); }
    session::AnyTensor alone(int64_t row) { return rows(row, row + 1); }

    /// Of one row, as the recipe would make it.
    static size_t elements(const session::TensorInfo& info, const Recipe& recipe);

  private:
    session::AnyTensor rows(int64_t begin, int64_t end);
    void append(uint32_t place, uint32_t integers);
    template <typename T>
    void put(T value);

    ElementType type_;
    std::vector<int64_t> shape_;
    std::mt19937 random_;
    std::vector<uint8_t> data_, part_;
    std::array<size_t, kMadeUpRows + 1> begins_{};  ///< of each row in `data_`, since BYTES have no fixed length; then the end
};

}  // namespace rankd::pipeline
