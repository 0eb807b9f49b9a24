// The outputs of an `infer` request in memory of their own, for as long as anybody holds them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "wire/tensor.h"

namespace rankd::engine {

/// Immutable: any number of threads encode from it.
class CachedResponse {
  public:
    explicit CachedResponse(std::span<const wire::NamedTensor> outputs);

    std::span<const wire::NamedTensor> outputs() const { return outputs_; }
    /// What it takes of memory.
    size_t bytes() const { return bytes_; }

  private:
    size_t bytes_;
    std::unique_ptr<std::byte[]> memory_;  ///< tensors, then shapes, then names and data
    std::span<const wire::NamedTensor> outputs_;
};

using CachedResponsePtr = std::shared_ptr<const CachedResponse>;

}  // namespace rankd::engine
