// From what a run of `infer` gave to what each of its requests is answered.
#pragma once

#include <cstdint>
#include <span>

#include "base/arena.h"
#include "base/status.h"
#include "pipeline/infer_plan.h"
#include "wire/tensor.h"

namespace rankd::pipeline {

/// An output of a run over the rows of several requests, handed out from the first to the last. Shapes live in the arena, data
/// stays where the run put it.
class SplitOutput {
  public:
    SplitOutput(const InferTensor& output, const session::AnyTensor& tensor, Arena& arena)
        : output_(output), tensor_(tensor), rest_(tensor.data), arena_(arena) {}

    /// @return MODEL_FAILED unless dimension 0 has one place for each row
    Status check_rows(int64_t rows) const;
    wire::NamedTensor next(int64_t rows);
    /// All of it, of a run for one request.
    wire::NamedTensor whole() const;

  private:
    wire::NamedTensor named(std::span<const int64_t> shape, std::span<const uint8_t> data) const;
    std::span<const uint8_t> take(int64_t rows);

    const InferTensor& output_;
    const session::AnyTensor& tensor_;
    std::span<const uint8_t> rest_;
    Arena& arena_;
};

}  // namespace rankd::pipeline
