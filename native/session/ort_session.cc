// Session on ONNX Runtime's CPU provider. Its exceptions end in this file.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/bytes_tensor.h"
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
constexpr std::array<ONNXTensorElementDataType, 14> kOrtTypes = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,   ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,   ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,  ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING};

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
    info.has_shape = tensor.HasShape();
    return info;
}

size_t element_count(std::span<const int64_t> shape) {
    size_t count = 1;
    for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
    return count;
}

/// Strings live in ONNX Runtime's own memory. @return no value when the bytes do not hold the elements of the shape
Ort::Value strings_of(const AnyTensor& tensor) {
    Ort::AllocatorWithDefaultOptions allocator;
    Ort::Value value =
        Ort::Value::CreateTensor(allocator, tensor.shape.data(), tensor.shape.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
    const size_t count = element_count(tensor.shape);
    size_t i = 0;
    const size_t end = for_each_bytes_element(tensor.data, [&](std::string_view element) {
        if (i == count) return false;
        char* const place = value.GetResizedStringTensorElementBuffer(i++, element.size());
        if (!element.empty()) std::memcpy(place, element.data(), element.size());
        return true;
    });
    return i == count && end == tensor.data.size() ? std::move(value) : Ort::Value{nullptr};
}

std::vector<uint8_t> serialised(const Ort::Value& strings, size_t count) {
    const size_t length = strings.GetStringTensorDataLength();
    std::vector<char> text(length);
    std::vector<size_t> offsets(count);
    if (count > 0) strings.GetStringTensorContent(text.data(), length, offsets.data(), count);
    std::vector<uint8_t> bytes(length + count * kElementLengthBytes);
    uint8_t* at = bytes.data();
    for (size_t i = 0; i < count; ++i) {
        const size_t end = i + 1 < count ? offsets[i + 1] : length;
        at = write_bytes_element(at, {text.data() + offsets[i], end - offsets[i]});
    }
    return bytes;
}

/// What an ONNX Runtime run gave, in the memory that it gave it in.
class OrtOutputs final : public Outputs {
  public:
    explicit OrtOutputs(std::vector<Ort::Value> values) : values_(std::move(values)), tensors_(values_.size()) {}

    /// Reads type, shape and address of output `place`. @return whether it is a tensor of a type that has a name on the wire
    bool read(size_t place) {
        const Ort::Value& value = values_[place];
        if (!value.IsTensor()) return false;
        const auto info = value.GetTensorTypeAndShapeInfo();
        Tensor& tensor = tensors_[place];
        tensor.any.type = element_type_of(info.GetElementType());
        tensor.shape = info.GetShape();
        tensor.any.shape = tensor.shape;
        if (tensor.any.type == ElementType::kOther) return false;
        const size_t count = info.GetElementCount();
        if (tensor.any.type == ElementType::kBytes) {
            tensor.strings = serialised(value, count);
            tensor.any.data = tensor.strings;
        } else {
            const auto* data = static_cast<const uint8_t*>(value.GetTensorRawData());
            tensor.any.data = {data, count * element_bytes(tensor.any.type)};
        }
        return true;
    }

    const AnyTensor& operator[](size_t place) const override { return tensors_[place].any; }

  private:
    struct Tensor {
        AnyTensor any;
        std::vector<int64_t> shape;
        std::vector<uint8_t> strings;
    };
    std::vector<Ort::Value> values_;
    std::vector<Tensor> tensors_;
};

class OrtSession final : public Session {
  public:
    explicit OrtSession(Ort::Session session)
        : session_(std::move(session)), memory_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
        // What fails is the caller's to hear, and a caller could fill the log with it.
        quiet_.SetRunLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
        Ort::AllocatorWithDefaultOptions allocator;
        for (size_t i = 0; i < session_.GetInputCount(); ++i)
            inputs_.push_back(info_of(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)));
        for (size_t i = 0; i < session_.GetOutputCount(); ++i)
            outputs_.push_back(info_of(session_.GetOutputNameAllocated(i, allocator).get(), session_.GetOutputTypeInfo(i)));
        for (size_t i = 0; i < session_.GetOverridableInitializerCount(); ++i)
            optional_inputs_.push_back(info_of(session_.GetOverridableInitializerNameAllocated(i, allocator).get(),
                                               session_.GetOverridableInitializerTypeInfo(i)));
    }

    std::span<const TensorInfo> inputs() const override { return inputs_; }
    std::span<const TensorInfo> outputs() const override { return outputs_; }
    std::span<const TensorInfo> optional_inputs() const override { return optional_inputs_; }

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

    Result<std::unique_ptr<Outputs>> infer(std::span<const char* const> input_names, std::span<const AnyTensor> inputs,
                                           std::span<const char* const> output_names) override {
        try {
            std::vector<Ort::Value> values;
            values.reserve(inputs.size());
            for (size_t i = 0; i < inputs.size(); ++i) {
                values.push_back(value_of(inputs[i]));
                if (!values.back()) return bad_strings(input_names[i]);
            }
            auto outputs = std::make_unique<OrtOutputs>(
                session_.Run(quiet_, input_names.data(), values.data(), values.size(), output_names.data(), output_names.size()));
            for (size_t i = 0; i < output_names.size(); ++i)
                if (!outputs->read(i)) return not_a_tensor(output_names[i]);
            return std::unique_ptr<Outputs>(std::move(outputs));
        } catch (const Ort::Exception& error) {
            return Status(Code::MODEL_FAILED, error.what());
        }
    }

  private:
    static Status not_a_tensor(const char* output) {
        return {Code::MODEL_FAILED,
                "output '" + std::string(output) + "' is no tensor of a type that can be sent: ask for other outputs"};
    }
    static Status bad_strings(const char* input) {
        return {Code::SHAPE_MISMATCH, "the bytes of input '" + std::string(input) + "' do not hold the elements of its shape"};
    }

    Ort::Value value_of(const AnyTensor& tensor) const {
        return tensor.type == ElementType::kBytes ? strings_of(tensor) : value_over(tensor);
    }

    Ort::Value value_over(const Tensor& tensor) const {
        const std::span<const int64_t> shape(tensor.shape.data(), tensor.rank);
        const size_t bytes = element_count(shape) * element_bytes(tensor.type);
        return value_over(AnyTensor{{static_cast<const uint8_t*>(tensor.data), bytes}, tensor.type, shape});
    }

    Ort::Value value_over(const AnyTensor& tensor) const {
        // ONNX Runtime takes inputs and outputs alike by a pointer to memory that it may write.
        return Ort::Value::CreateTensor(memory_, const_cast<uint8_t*>(tensor.data.data()), tensor.data.size(),
                                        tensor.shape.data(), tensor.shape.size(), ort_type_of(tensor.type));
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
    Ort::RunOptions quiet_;
    std::vector<TensorInfo> inputs_;
    std::vector<TensorInfo> outputs_;
    std::vector<TensorInfo> optional_inputs_;
    std::mutex mutex_;
    std::vector<Ort::IoBinding> bindings_;
};

Ort::SessionOptions ort_options(const SessionOptions& wanted) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(wanted.intra_op_threads);
    options.SetInterOpNumThreads(wanted.inter_op_threads);
    options.SetExecutionMode(wanted.is_parallel ? ORT_PARALLEL : ORT_SEQUENTIAL);
    options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
    // Every batch has its own shape; a memory pattern kept for each would grow without end.
    options.DisableMemPattern();
    options.AddConfigEntry("session.intra_op.allow_spinning", "0");
    options.AddConfigEntry("session.inter_op.allow_spinning", "0");
    for (const auto& [key, value] : wanted.entries) options.AddConfigEntry(key.c_str(), value.c_str());
    return options;
}

template <typename Open>
Result<std::unique_ptr<Session>> opened(const std::string& what, const SessionOptions& options, Open&& open) {
    try {
        return std::unique_ptr<Session>(new OrtSession(open(ort_options(options))));
    } catch (const Ort::Exception& error) {
        return Status(Code::BUNDLE_INVALID, what + ": ONNX Runtime cannot load this graph: " + error.what());
    }
}

}  // namespace

SessionFactory ort_sessions() {
    return {
        [](const std::filesystem::path& path, const SessionOptions& wanted) {
            return opened(path.filename().string(), wanted,
                          [&](const Ort::SessionOptions& options) { return Ort::Session(environment(), path.c_str(), options); });
        },
        [](std::span<const uint8_t> bytes) {
            return opened("a rewritten graph", {}, [&](const Ort::SessionOptions& options) {
                return Ort::Session(environment(), bytes.data(), bytes.size(), options);
            });
        },
    };
}

}  // namespace rankd::session
