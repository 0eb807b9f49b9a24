// The graphs of test/fixtures/models in plain C++: the engine's tests run them without ONNX Runtime, whose threads and memory the
// sanitizers cannot see. The fixtures' golden requests hold for both.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "session/session.h"

namespace rankd::test {

inline std::filesystem::path fixture_model(const std::string& name) {
    return std::filesystem::path(RANKD_SOURCE_DIR) / "test" / "fixtures" / "models" / name / "1.0.0";
}

/// What a test may do to every session of the process.
struct FakeSessionControl {
    static inline std::atomic<int> delay_us{0};
    static inline std::atomic<bool> is_failing{false};
    static inline std::atomic<int> open_sessions{0};
    static inline std::atomic<uint64_t> runs{0};
    /// Called with the rows of every run; for tests of one thread.
    static inline std::function<void(int64_t rows)> on_run;
};

/// One float32 output in memory of its own.
class FakeOutput final : public session::Outputs {
  public:
    explicit FakeOutput(std::vector<int64_t> shape) : shape_(std::move(shape)), values_(rows() * width()) {
        any_ = {{reinterpret_cast<const uint8_t*>(values_.data()), values_.size() * sizeof(float)}, ElementType::kF32, shape_};
    }
    session::Tensor matrix() {
        return {
            values_.data(), ElementType::kF32, static_cast<uint32_t>(shape_.size()), {shape_[0], static_cast<int64_t>(width())}};
    }
    const session::AnyTensor& operator[](size_t) const override { return any_; }

  private:
    size_t rows() const { return static_cast<size_t>(shape_[0]); }
    size_t width() const { return shape_.size() > 1 ? static_cast<size_t>(shape_[1]) : 1; }

    std::vector<int64_t> shape_;
    std::vector<float> values_;
    session::AnyTensor any_;
};

class FakeSession : public session::Session {
  public:
    FakeSession(std::vector<session::TensorInfo> inputs, std::vector<session::TensorInfo> outputs)
        : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
        ++FakeSessionControl::open_sessions;
    }
    ~FakeSession() override { --FakeSessionControl::open_sessions; }

    std::span<const session::TensorInfo> inputs() const override { return inputs_; }
    std::span<const session::TensorInfo> outputs() const override { return outputs_; }

    Status run(std::span<const session::Tensor> inputs, std::span<const char* const>,
               std::span<const session::Tensor> outputs) override {
        ++FakeSessionControl::runs;
        if (FakeSessionControl::on_run) FakeSessionControl::on_run(outputs[0].shape[0]);
        if (const int delay = FakeSessionControl::delay_us; delay > 0)
            std::this_thread::sleep_for(std::chrono::microseconds(delay));
        if (!has_valid_indices(inputs)) return {Code::MODEL_FAILED, "indices element out of data bounds"};
        if (FakeSessionControl::is_failing) return {Code::MODEL_FAILED, "the test wants this run to fail"};
        compute(inputs, outputs[0]);
        return Status::ok();
    }

    /// The one output, for matrices and vectors.
    Result<std::unique_ptr<session::Outputs>> infer(std::span<const char* const>, std::span<const session::AnyTensor> inputs,
                                                    std::span<const char* const>) override {
        std::vector<session::Tensor> tensors;
        for (const session::AnyTensor& input : inputs) {
            const auto rank = static_cast<uint32_t>(input.shape.size());
            auto* const data = const_cast<uint8_t*>(input.data.data());
            tensors.push_back({data, input.type, rank, {input.shape[0], rank > 1 ? input.shape[1] : 1}});
        }
        std::vector<int64_t> shape = outputs_[0].shape;
        shape[0] = inputs[0].shape[0];
        auto output = std::make_unique<FakeOutput>(std::move(shape));
        const session::Tensor target = output->matrix();
        RANKD_RETURN_IF_ERROR(run(tensors, {}, {&target, 1}));
        return std::unique_ptr<session::Outputs>(std::move(output));
    }

  protected:
    virtual bool has_valid_indices(std::span<const session::Tensor>) const { return true; }
    virtual void compute(std::span<const session::Tensor> inputs, const session::Tensor& output) = 0;
    static const float* floats(const session::Tensor& tensor) { return static_cast<const float*>(tensor.data); }
    static float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

  private:
    std::vector<session::TensorInfo> inputs_, outputs_;
};

constexpr int64_t kFixtureDim = 8;

/// user_vector = user_embedding / 2 + history_mean
class FakeUserTower final : public FakeSession {
  public:
    FakeUserTower()
        : FakeSession({{"user_embedding", ElementType::kF32, {-1, kFixtureDim}},
                       {"history_mean", ElementType::kF32, {-1, kFixtureDim}},
                       {"history_count", ElementType::kF32, {-1, 1}}},
                      {{"user_vector", ElementType::kF32, {-1, kFixtureDim}}}) {}

  private:
    void compute(std::span<const session::Tensor> inputs, const session::Tensor& output) override {
        auto* out = static_cast<float*>(output.data);
        for (int64_t i = 0; i < output.shape[0] * kFixtureDim; ++i) out[i] = floats(inputs[0])[i] / 2 + floats(inputs[1])[i];
    }
};

/// score = sigmoid(user . item + pair . [0.5, 0.25])
class FakeRanker final : public FakeSession {
  public:
    FakeRanker()
        : FakeSession({{"user_embedding", ElementType::kF32, {-1, kFixtureDim}},
                       {"row_user", ElementType::kI64, {-1}},
                       {"item_embedding", ElementType::kF32, {-1, kFixtureDim}},
                       {"pair", ElementType::kF32, {-1, 2}}},
                      {{"score", ElementType::kF32, {-1}}}) {}

  private:
    bool has_valid_indices(std::span<const session::Tensor> inputs) const override {
        const auto* row_user = static_cast<const int64_t*>(inputs[1].data);
        const int64_t users = inputs[0].shape[0];
        return std::all_of(row_user, row_user + inputs[1].shape[0], [&](int64_t row) { return row >= 0 && row < users; });
    }
    void compute(std::span<const session::Tensor> inputs, const session::Tensor& output) override {
        const auto* row_user = static_cast<const int64_t*>(inputs[1].data);
        for (int64_t n = 0; n < output.shape[0]; ++n) {
            const float* user = floats(inputs[0]) + row_user[n] * kFixtureDim;
            const float* item = floats(inputs[2]) + n * kFixtureDim;
            const float* pair = floats(inputs[3]) + n * 2;
            float logit = 0.5f * pair[0] + 0.25f * pair[1];
            for (int64_t i = 0; i < kFixtureDim; ++i) logit += user[i] * item[i];
            static_cast<float*>(output.data)[n] = sigmoid(logit);
        }
    }
};

/// score = sigmoid(rows . weights - 0.5)
class FakeScorer final : public FakeSession {
  public:
    FakeScorer() : FakeSession({{"rows", ElementType::kF32, {-1, 4}}}, {{"score", ElementType::kF32, {-1, 1}}}) {}

  private:
    void compute(std::span<const session::Tensor> inputs, const session::Tensor& output) override {
        constexpr float kWeights[4] = {0.8f, -0.1f, 0.5f, -0.3f};
        for (int64_t b = 0; b < output.shape[0]; ++b) {
            float logit = -0.5f;
            for (int64_t i = 0; i < 4; ++i) logit += floats(inputs[0])[b * 4 + i] * kWeights[i];
            static_cast<float*>(output.data)[b] = sigmoid(logit);
        }
    }
};

inline Result<std::unique_ptr<session::Session>> open_fake_session(const std::filesystem::path& path,
                                                                   const session::SessionOptions&) {
    if (path.filename() == "user_tower.onnx") return std::unique_ptr<session::Session>(new FakeUserTower);
    if (path.filename() == "ranker.onnx") return std::unique_ptr<session::Session>(new FakeRanker);
    if (path.filename() == "scorer.onnx") return std::unique_ptr<session::Session>(new FakeScorer);
    return Status(Code::BUNDLE_INVALID, "no fake for " + path.filename().string());
}

inline session::SessionFactory fake_sessions() {
    return {open_fake_session, {}};
}

}  // namespace rankd::test
