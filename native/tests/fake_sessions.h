// The graphs of test/fixtures/models in plain C++: the engine's tests run them without ONNX Runtime, whose threads and memory the
// sanitizers cannot see. The fixtures' golden requests hold for both.
#pragma once

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
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
        if (const int delay = FakeSessionControl::delay_us; delay > 0)
            std::this_thread::sleep_for(std::chrono::microseconds(delay));
        if (FakeSessionControl::is_failing) return {Code::MODEL_FAILED, "the test wants this run to fail"};
        compute(inputs, outputs[0]);
        return Status::ok();
    }

    /// The one output, for matrices and vectors.
    Status infer(std::span<const session::AnyTensor> inputs, std::span<const char* const> names,
                 const session::OutputTaker& take) override {
        std::vector<session::Tensor> tensors;
        for (const session::AnyTensor& input : inputs) {
            const auto rank = static_cast<uint32_t>(input.shape.size());
            tensors.push_back({const_cast<void*>(input.data), input.type, rank, {input.shape[0], rank > 1 ? input.shape[1] : 1}});
        }
        const session::TensorInfo& wanted = outputs_[0];
        std::vector<int64_t> shape = wanted.shape;
        shape[0] = inputs[0].shape[0];
        const int64_t width = shape.size() > 1 ? shape[1] : 1;
        std::vector<float> values(static_cast<size_t>(shape[0] * width));
        const session::Tensor output{values.data(), ElementType::kF32, static_cast<uint32_t>(shape.size()), {shape[0], width}};
        RANKD_RETURN_IF_ERROR(run(tensors, names, {&output, 1}));
        take(0, {values.data(), ElementType::kF32, shape});
        return Status::ok();
    }

  protected:
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

inline Result<std::unique_ptr<session::Session>> open_fake_session(const std::filesystem::path& path) {
    if (path.filename() == "user_tower.onnx") return std::unique_ptr<session::Session>(new FakeUserTower);
    if (path.filename() == "ranker.onnx") return std::unique_ptr<session::Session>(new FakeRanker);
    if (path.filename() == "scorer.onnx") return std::unique_ptr<session::Session>(new FakeScorer);
    return Status(Code::BUNDLE_INVALID, "no fake for " + path.filename().string());
}

inline session::SessionFactory fake_sessions() {
    return {open_fake_session, {}};
}

}  // namespace rankd::test
