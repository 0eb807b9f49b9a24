// Session on ONNX Runtime's CPU provider. Its exceptions end in this file.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "session/session.h"

namespace rankd::session {

std::string describe(const TensorInfo& info) {
    std::string text = "[";
    for (size_t i = 0; i < info.shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(info.shape[i]);
    return text + "] " + std::string(element_type_name(info.type));
}

std::string_view ort_version() {
    static const std::string version = OrtGetApiBase()->GetVersionString();
    return version;
}

namespace {

// ONNX Runtime allows one environment a process; it is leaked, since sessions may outlive any order of static destruction.
Ort::Env& environment() {
    static auto* env = new Ort::Env(ORT_LOGGING_LEVEL_ERROR, "rankd");
    return *env;
}

/// In the order of `ElementType`.
constexpr std::array<ONNXTensorElementDataType, 13> kOrtTypes = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,   ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,   ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE};

ElementType element_type_of(ONNXTensorElementDataType type) {
    return static_cast<ElementType>(std::find(kOrtTypes.begin(), kOrtTypes.end(), type) - kOrtTypes.begin());
}
ONNXTensorElementDataType ort_type_of(ElementType type) {
    return kOrtTypes[static_cast<size_t>(type)];
}

TensorInfo info_of(const std::string& name, const Ort::TypeInfo& type) {
    TensorInfo info;
    info.name = name;
    if (type.GetONNXType() != ONNX_TYPE_TENSOR) return info;
    const auto tensor = type.GetTensorTypeAndShapeInfo();
    info.type = element_type_of(tensor.GetElementType());
    info.shape = tensor.GetShape();
    return info;
}

class OrtSession final : public Session {
  public:
    explicit OrtSession(Ort::Session session)
        : session_(std::move(session)), memory_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
        Ort::AllocatorWithDefaultOptions allocator;
        for (size_t i = 0; i < session_.GetInputCount(); ++i)
            inputs_.push_back(info_of(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)));
        for (size_t i = 0; i < session_.GetOutputCount(); ++i)
            outputs_.push_back(info_of(session_.GetOutputNameAllocated(i, allocator).get(), session_.GetOutputTypeInfo(i)));
    }

    std::span<const TensorInfo> inputs() const override { return inputs_; }
    std::span<const TensorInfo> outputs() const override { return outputs_; }

    Status run(std::span<const Tensor> inputs, std::span<const char* const> output_names,
               std::span<const Tensor> outputs) override {
        try {
            Ort::IoBinding binding = take_binding();
            for (size_t i = 0; i < inputs.size(); ++i) binding.BindInput(inputs_[i].name.c_str(), value_over(inputs[i]));
            for (size_t i = 0; i < outputs.size(); ++i) binding.BindOutput(output_names[i], value_over(outputs[i]));
            session_.Run(Ort::RunOptions{nullptr}, binding);
            give_back(std::move(binding));
            return Status::ok();
        } catch (const Ort::Exception& error) {
            return {Code::MODEL_FAILED, error.what()};
        }
    }

    Status infer(std::span<const AnyTensor> inputs, std::span<const char* const> output_names, const OutputTaker& take) override {
        try {
            std::vector<const char*> input_names;
            std::vector<Ort::Value> values;
            for (size_t i = 0; i < inputs.size(); ++i) {
                input_names.push_back(inputs_[i].name.c_str());
                values.push_back(value_over(inputs[i]));
            }
            const std::vector<Ort::Value> outputs = session_.Run(Ort::RunOptions{nullptr}, input_names.data(), values.data(),
                                                                 values.size(), output_names.data(), output_names.size());
            for (size_t i = 0; i < outputs.size(); ++i) {
                if (!outputs[i].IsTensor()) return not_numeric(output_names[i]);
                const auto info = outputs[i].GetTensorTypeAndShapeInfo();
                const ElementType type = element_type_of(info.GetElementType());
                if (type == ElementType::kOther) return not_numeric(output_names[i]);
                const std::vector<int64_t> shape = info.GetShape();
                take(i, {outputs[i].GetTensorRawData(), type, shape});
            }
            return Status::ok();
        } catch (const Ort::Exception& error) {
            return {Code::MODEL_FAILED, error.what()};
        }
    }

  private:
    static Status not_numeric(const char* output) {
        return {Code::MODEL_FAILED, "output \"" + std::string(output) + "\" is no tensor of numbers: ask for other outputs"};
    }

    Ort::Value value_over(const Tensor& tensor) const {
        return value_over(AnyTensor{tensor.data, tensor.type, {tensor.shape.data(), tensor.rank}});
    }

    Ort::Value value_over(const AnyTensor& tensor) const {
        // ONNX Runtime takes inputs and outputs alike by a pointer to memory that it may write.
        return Ort::Value::CreateTensor(memory_, const_cast<void*>(tensor.data), tensor.bytes(), tensor.shape.data(),
                                        tensor.shape.size(), ort_type_of(tensor.type));
    }

    // A binding is used by one run at a time; those that wait here are as many as ever ran at once.
    Ort::IoBinding take_binding() {
        std::lock_guard lock(mutex_);
        if (bindings_.empty()) return Ort::IoBinding(session_);
        Ort::IoBinding binding = std::move(bindings_.back());
        bindings_.pop_back();
        return binding;
    }

    void give_back(Ort::IoBinding binding) {
        binding.ClearBoundInputs();
        binding.ClearBoundOutputs();
        std::lock_guard lock(mutex_);
        bindings_.push_back(std::move(binding));
    }

    Ort::Session session_;
    Ort::MemoryInfo memory_;
    std::vector<TensorInfo> inputs_;
    std::vector<TensorInfo> outputs_;
    std::mutex mutex_;
    std::vector<Ort::IoBinding> bindings_;
};

Ort::SessionOptions session_options() {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetInterOpNumThreads(1);
    options.SetExecutionMode(ORT_SEQUENTIAL);
    options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
    // Every batch has its own shape; a memory pattern kept for each would grow without end.
    options.DisableMemPattern();
    options.AddConfigEntry("session.intra_op.allow_spinning", "0");
    options.AddConfigEntry("session.inter_op.allow_spinning", "0");
    return options;
}

template <typename Open>
Result<std::unique_ptr<Session>> opened(const std::string& what, Open&& open) {
    try {
        return std::unique_ptr<Session>(new OrtSession(open(session_options())));
    } catch (const Ort::Exception& error) {
        return Status(Code::BUNDLE_INVALID, what + ": ONNX Runtime cannot load this graph: " + error.what());
    }
}

}  // namespace

SessionFactory ort_sessions() {
    return {
        [](const std::filesystem::path& path) {
            return opened(path.filename().string(),
                          [&](const Ort::SessionOptions& options) { return Ort::Session(environment(), path.c_str(), options); });
        },
        [](std::span<const uint8_t> bytes) {
            return opened("a rewritten graph", [&](const Ort::SessionOptions& options) {
                return Ort::Session(environment(), bytes.data(), bytes.size(), options);
            });
        },
    };
}

}  // namespace rankd::session
