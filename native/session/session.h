// The border to whatever runs a graph: ONNX Runtime in service, a fake in tests. Nobody else knows ONNX Runtime.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
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
    bool has_shape = true;  ///< false: nothing is known of it, not even its rank; `shape` is empty
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

/// A tensor of any rank; `data` is aligned for its type and has an address even when it is empty, `shape` holds no -1. Of BYTES,
/// `data` is the serialised form (base/bytes_tensor.h).
struct AnyTensor {
    std::span<const uint8_t> data;
    ElementType type = ElementType::kOther;
    std::span<const int64_t> shape;
};

/// What a run gave; its tensors stand as long as it does.
class Outputs {
  public:
    virtual ~Outputs() = default;
    /// In the order of the names that were asked for.
    virtual const AnyTensor& operator[](size_t place) const = 0;
};

/// One loaded graph. `run` may be called by several threads at once.
class Session {
  public:
    virtual ~Session() = default;

    virtual std::span<const TensorInfo> inputs() const = 0;
    virtual std::span<const TensorInfo> outputs() const = 0;
    /// Inputs for which the graph has a value of its own, used when a run brings none.
    virtual std::span<const TensorInfo> optional_inputs() const { return {}; }

    /// Runs with every buffer preallocated by the caller.
    /// @param inputs   one per `inputs()`, in that order
    /// @param outputs  one per name in `output_names`; shapes must be what the graph will produce
    /// @return MODEL_FAILED with the runtime's words
    virtual Status run(std::span<const Tensor> inputs, std::span<const char* const> output_names,
                       std::span<const Tensor> outputs) = 0;

    /// Runs with tensors of any type and rank; the runtime allocates what comes out.
    /// @param inputs  one per name in `input_names`, which are all of `inputs()` and any of `optional_inputs()`
    /// @return MODEL_FAILED with the runtime's words, also for an output that is no tensor; SHAPE_MISMATCH for BYTES that do not
    ///         hold the elements of their shape
    virtual Result<std::unique_ptr<Outputs>> infer(std::span<const char* const> input_names, std::span<const AnyTensor> inputs,
                                                   std::span<const char* const> output_names) = 0;
};

/// How one graph is run. As it stands, the caller's thread does all the work.
struct SessionOptions {
    int intra_op_threads = 1;                    ///< 0 = one per core
    int inter_op_threads = 1;                    ///< 0 = one per core; used by `is_parallel`
    bool is_parallel = false;                    ///< independent parts of the graph run side by side
    std::map<std::string, std::string> entries;  ///< of the runtime, by its own names: "session.…"
};

/// Opens graphs. @return BUNDLE_INVALID with the runtime's words
struct SessionFactory {
    using Opened = Result<std::unique_ptr<Session>>;
    std::function<Opened(const std::filesystem::path&, const SessionOptions&)> open;
    /// A graph in memory; empty where graphs can only be served as their files have them.
    std::function<Opened(std::span<const uint8_t>)> open_bytes;
};

/// ONNX Runtime on the CPU provider, without spinning.
SessionFactory ort_sessions();

/// ONNX Runtime's version, for example "1.29.0".
std::string_view ort_version();

}  // namespace rankd::session
