// The border to whatever runs a graph: ONNX Runtime in service, a fake in tests. Nobody else knows ONNX Runtime.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/element_type.h"
#include "base/status.h"

namespace rankd::session {

/// What a graph declares of one input or output; -1 is a dimension that may differ from run to run.
struct TensorInfo {
    std::string name;
    ElementType type = ElementType::kOther;
    std::vector<int64_t> shape;
};
/// "[-1, 50] float32", for messages.
std::string describe(const TensorInfo& info);

/// A tensor in the caller's memory for the length of one run; rank 1 or 2, row-major.
struct Tensor {
    void* data = nullptr;
    ElementType type = ElementType::kF32;
    uint32_t rank = 2;
    std::array<int64_t, 2> shape{};

    static Tensor matrix(float* data, size_t rows, size_t columns) {
        return {data, ElementType::kF32, 2, {static_cast<int64_t>(rows), static_cast<int64_t>(columns)}};
    }
};

/// A tensor of any rank; `data` is aligned for its type, `shape` holds no -1.
struct AnyTensor {
    const void* data = nullptr;
    ElementType type = ElementType::kOther;
    std::span<const int64_t> shape;

    size_t bytes() const {
        size_t count = element_bytes(type);
        for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
        return count;
    }
};
/// Takes output `place` of a run; the tensor is valid until it returns.
using OutputTaker = std::function<void(size_t place, const AnyTensor&)>;

/// One loaded graph. `run` may be called by several threads at once.
class Session {
  public:
    virtual ~Session() = default;

    virtual std::span<const TensorInfo> inputs() const = 0;
    virtual std::span<const TensorInfo> outputs() const = 0;

    /// Runs with every buffer preallocated by the caller.
    /// @param inputs   one per `inputs()`, in that order
    /// @param outputs  one per name in `output_names`; shapes must be what the graph will produce
    /// @return MODEL_FAILED with the runtime's words
    virtual Status run(std::span<const Tensor> inputs, std::span<const char* const> output_names,
                       std::span<const Tensor> outputs) = 0;

    /// Runs with tensors of any type and rank; the runtime allocates what comes out.
    /// @param inputs  one per `inputs()`, in that order, of its type and shape
    /// @param take    called once per name in `output_names`, in that order
    /// @return MODEL_FAILED with the runtime's words, also for an output that is no numeric tensor
    virtual Status infer(std::span<const AnyTensor> inputs, std::span<const char* const> output_names,
                         const OutputTaker& take) = 0;
};

/// Opens graphs. @return BUNDLE_INVALID with the runtime's words
struct SessionFactory {
    using Opened = Result<std::unique_ptr<Session>>;
    std::function<Opened(const std::filesystem::path&)> open;
    /// A graph in memory; empty where graphs can only be served as their files have them.
    std::function<Opened(std::span<const uint8_t>)> open_bytes;
};

/// ONNX Runtime on the CPU provider: one intra-op thread, no spinning; the caller's thread does the work.
SessionFactory ort_sessions();

/// ONNX Runtime's version, for example "1.29.0".
std::string_view ort_version();

}  // namespace rankd::session
