// Session on ONNX Runtime's CPU provider. Its exceptions end in this file.
#include <onnxruntime_cxx_api.h>

#include <mutex>

#include "session/session.h"

namespace rankd::session {

std::string_view element_type_name(ElementType type) {
    switch (type) {
        case ElementType::kF32:
            return "float32";
        case ElementType::kI32:
            return "int32";
        case ElementType::kI64:
            return "int64";
        case ElementType::kOther:
            break;
    }
    return "another type";
}

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

ElementType element_type_of(ONNXTensorElementDataType type) {
    switch (type) {
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
            return ElementType::kF32;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
            return ElementType::kI32;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
            return ElementType::kI64;
        default:
            return ElementType::kOther;
    }
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

  private:
    Ort::Value value_over(const Tensor& tensor) const {
        size_t count = 1;
        for (uint32_t i = 0; i < tensor.rank; ++i) count *= static_cast<size_t>(tensor.shape[i]);
        switch (tensor.type) {
            case ElementType::kI64:
                return Ort::Value::CreateTensor<int64_t>(memory_, static_cast<int64_t*>(tensor.data), count, tensor.shape.data(),
                                                         tensor.rank);
            case ElementType::kI32:
                return Ort::Value::CreateTensor<int32_t>(memory_, static_cast<int32_t*>(tensor.data), count, tensor.shape.data(),
                                                         tensor.rank);
            default:
                return Ort::Value::CreateTensor<float>(memory_, static_cast<float*>(tensor.data), count, tensor.shape.data(),
                                                       tensor.rank);
        }
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

}  // namespace

Result<std::unique_ptr<Session>> open_ort_session(const std::filesystem::path& path) {
    try {
        Ort::SessionOptions options;
        options.SetIntraOpNumThreads(1);
        options.SetInterOpNumThreads(1);
        options.SetExecutionMode(ORT_SEQUENTIAL);
        options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        // Every batch has its own shape; a memory pattern kept for each would grow without end.
        options.DisableMemPattern();
        options.AddConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddConfigEntry("session.inter_op.allow_spinning", "0");
        return std::unique_ptr<Session>(new OrtSession(Ort::Session(environment(), path.c_str(), options)));
    } catch (const Ort::Exception& error) {
        return Status(Code::BUNDLE_INVALID, path.filename().string() + ": ONNX Runtime cannot load this graph: " + error.what());
    }
}

}  // namespace rankd::session
