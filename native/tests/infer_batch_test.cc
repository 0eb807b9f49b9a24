// Requests of one batch share runs, and are answered as if each had run alone.
#include <array>
#include <cstring>
#include <deque>
#include <random>

#include "pipeline/batch_probe.h"
#include "pipeline/infer.h"
#include "tests/test.h"
#include "tests/triton_fixtures.h"

namespace rankd {
namespace {

using pipeline::InferPlan;
using pipeline::InferSpec;
using pipeline::RequestState;
using pipeline::Scratch;
using session::AnyTensor;
using session::TensorInfo;
using test::has_ort;
using test::open_triton;
using wire::NamedTensor;

/// Tensors in memory of their own.
class OwnedOutputs final : public session::Outputs {
  public:
    void add(ElementType type, std::vector<int64_t> shape, std::vector<uint8_t> data) {
        owned_.push_back({type, std::move(shape), std::move(data), {}});
        owned_.back().tensor = {owned_.back().data, type, owned_.back().shape};
    }
    const AnyTensor& operator[](size_t place) const override { return owned_[place].tensor; }

  private:
    struct Owned {
        ElementType type;
        std::vector<int64_t> shape;
        std::vector<uint8_t> data;
        AnyTensor tensor;
    };
    std::deque<Owned> owned_;
};

/// x int32 [N, M] and text BYTES [N, K] to twice x, and to text as it came; x below zero fails the whole run, as an index out of
/// range does. Counts runs and their rows.
class RowSession final : public session::Session {
  public:
    std::span<const TensorInfo> inputs() const override { return inputs_; }
    std::span<const TensorInfo> outputs() const override { return outputs_; }
    std::span<const TensorInfo> optional_inputs() const override { return optional_; }
    Status run(std::span<const session::Tensor>, std::span<const char* const>, std::span<const session::Tensor>) override {
        return {Code::INTERNAL, "not for this test"};
    }
    Result<std::unique_ptr<session::Outputs>> infer(std::span<const char* const> given, std::span<const AnyTensor> inputs,
                                                    std::span<const char* const> names) override {
        rows.push_back(inputs[0].shape[0]);
        last_inputs.assign(given.begin(), given.end());
        CHECK_EQ(reinterpret_cast<uintptr_t>(inputs[0].data.data()) % sizeof(int32_t), 0u);
        std::vector<uint8_t> doubled(inputs[0].data.size());
        for (size_t at = 0; at < doubled.size(); at += sizeof(int32_t)) {
            int32_t x;
            std::memcpy(&x, inputs[0].data.data() + at, sizeof(x));
            if (x < 0) return Status(Code::MODEL_FAILED, "index out of range");
            x *= 2;
            std::memcpy(doubled.data() + at, &x, sizeof(x));
        }
        auto outputs = std::make_unique<OwnedOutputs>();
        for (const std::string_view name : names) {
            const AnyTensor& from = name == "doubled" ? inputs.front() : inputs.back();
            std::vector<int64_t> shape(from.shape.begin(), from.shape.end());
            if (loses_rows) shape[0] = 1;
            outputs->add(from.type, shape,
                         name == "doubled" ? doubled : std::vector<uint8_t>(from.data.begin(), from.data.end()));
        }
        return std::unique_ptr<session::Outputs>(std::move(outputs));
    }

    std::vector<int64_t> rows;  ///< of each run
    std::vector<std::string> last_inputs;
    bool loses_rows = false;

  private:
    const std::vector<TensorInfo> optional_ = {{"shift", ElementType::kI32, {-1, 1}}};
    const std::vector<TensorInfo> inputs_ = {{"x", ElementType::kI32, {-1, -1}}, {"text", ElementType::kBytes, {-1, -1}}};
    const std::vector<TensorInfo> outputs_ = {{"doubled", ElementType::kI32, {-1, -1}}, {"same", ElementType::kBytes, {-1, -1}}};
};

/// One request's memory; `misaligned` bytes stand before its numbers, as in a frame.
struct Asked {
    Asked(int64_t row_count, std::vector<int32_t> numbers, std::vector<std::string> texts, size_t misaligned = 0)
        : rows(row_count), bytes(misaligned + numbers.size() * sizeof(int32_t)) {
        if (!numbers.empty()) std::memcpy(bytes.data() + misaligned, numbers.data(), bytes.size() - misaligned);
        for (const std::string& text : texts) {
            const auto length = static_cast<uint32_t>(text.size());
            const auto* at = reinterpret_cast<const uint8_t*>(&length);
            serialised.insert(serialised.end(), at, at + sizeof(length));
            serialised.insert(serialised.end(), text.begin(), text.end());
        }
        const auto width = [&](size_t elements) { return rows == 0 ? 2 : static_cast<int64_t>(elements) / rows; };
        x_shape = {rows, width(numbers.size())};
        text_shape = {rows, width(texts.size())};
        inputs = {{"x", ElementType::kI32, x_shape, std::span(bytes).subspan(misaligned)},
                  {"text", ElementType::kBytes, text_shape, serialised}};
        request.operation = wire::Operation::kInfer;
        request.inputs = inputs;
    }
    Asked(const Asked&) = delete;

    void want(std::vector<wire::WantedOutput> wanted) {
        outputs = std::move(wanted);
        request.outputs = outputs;
    }

    int64_t rows;
    std::vector<uint8_t> bytes, serialised;
    std::vector<int64_t> x_shape, text_shape;
    std::vector<NamedTensor> inputs;
    std::vector<wire::WantedOutput> outputs;
    wire::Request request;
};

constexpr std::array<int64_t, 2> kOneByOne = {1, 1};

InferSpec batching(uint32_t max, bool is_dynamic = true) {
    InferSpec spec;
    spec.max_batch_size = max;
    spec.dynamic_batching = is_dynamic;
    return spec;
}

struct WithSession {
    explicit WithSession(const InferSpec& spec) : plan(std::move(pipeline::resolve_infer("rows", spec, session, "/")).value()) {
        if (!spec.max_batch_size) pipeline::decide_batching(plan, spec);
        session.rows.clear();
    }

    std::span<const RequestState> run(const std::vector<std::unique_ptr<Asked>>& asked) {
        scratch.arena.reset();
        scratch.requests.clear();
        scratch.requests.resize(asked.size());
        for (size_t i = 0; i < asked.size(); ++i) scratch.requests[i].request = &asked[i]->request;
        scratch.infer_runs.clear();
        scratch.infer_outputs.clear();
        pipeline::run_infer(plan, scratch, SteadyClock::instance());
        return scratch.requests;
    }
    std::span<const RequestState> run(std::unique_ptr<Asked> asked) {
        one.clear();
        one.push_back(std::move(asked));
        return run(one);
    }

    RowSession session;
    InferPlan plan;
    Scratch scratch;
    std::vector<std::unique_ptr<Asked>> one;
};

/// An answer as text, for comparing.
std::string shown(const RequestState& state) {
    if (!state.is_ok()) return test::message_of(state.status);
    std::string text;
    for (const NamedTensor& output : state.outputs)
        text += std::string(output.name) + pipeline::shape_text(output.shape) + std::string(datatype_name(output.type)) + ":" +
                std::string(output.data.begin(), output.data.end()) + ";";
    return text;
}

std::unique_ptr<Asked> row(int32_t x, std::vector<std::string> texts = {"a", "b"}) {
    return std::make_unique<Asked>(1, std::vector<int32_t>{x, x + 1}, std::move(texts));
}

TEST("requests of one shape share a run, up to its rows, and each gets its own") {
    WithSession with(batching(3));
    std::vector<std::unique_ptr<Asked>> asked;
    for (int i = 0; i < 4; ++i) asked.push_back(row(10 * i, {std::string(static_cast<size_t>(i), 'x'), "end"}));
    const auto states = with.run(asked);
    CHECK(with.session.rows == (std::vector<int64_t>{3, 1}));
    for (int i = 0; i < 4; ++i) {
        CHECK_OK(states[static_cast<size_t>(i)].status);
        int32_t doubled;
        std::memcpy(&doubled, states[static_cast<size_t>(i)].outputs[0].data.data(), sizeof(doubled));
        CHECK_EQ(doubled, 20 * i);
        CHECK_EQ(states[static_cast<size_t>(i)].outputs[1].data.size(), 4u + static_cast<size_t>(i) + 7u);
    }
    CHECK_EQ(with.scratch.infer_runs.size(), 2u);
    CHECK_EQ(with.scratch.infer_runs[0].rows, 3u);
    CHECK_EQ(states[2].infer_run, 0u);
    CHECK_EQ(states[3].infer_run, 1u);
    CHECK_EQ(states[3].infer_rows, 1u);
}

TEST("other shapes run apart, and so does everything where batching is off") {
    std::vector<std::unique_ptr<Asked>> asked;
    asked.push_back(row(1));
    asked.push_back(row(2, {"alone"}));
    asked.push_back(row(3));
    WithSession with(batching(8));
    with.run(asked);
    CHECK(with.session.rows == (std::vector<int64_t>{2, 1}));
    WithSession without(batching(8, false));
    without.run(asked);
    CHECK(without.session.rows == (std::vector<int64_t>{1, 1, 1}));
}

TEST("requests that want different outputs share a run, and get what they want in their order") {
    WithSession with(batching(8));
    std::vector<std::unique_ptr<Asked>> asked;
    for (int i = 0; i < 3; ++i) asked.push_back(row(i));
    asked[0]->want({{"same"}});
    asked[2]->want({{"same"}, {"doubled"}});
    const auto states = with.run(asked);
    CHECK(with.session.rows == (std::vector<int64_t>{3}));
    CHECK_EQ(states[0].outputs.size(), 1u);
    CHECK_EQ(states[0].outputs[0].name, "same");
    CHECK_EQ(states[1].outputs[0].name, "doubled");
    CHECK_EQ(states[2].outputs[0].name, "same");
    CHECK_EQ(states[2].outputs[1].name, "doubled");
}

TEST("an input that the graph has a value for may be left out, and then is not fed") {
    InferSpec spec = batching(8);
    for (const char* name : {"x", "shift", "text"}) spec.inputs.emplace_back().name = name;
    WithSession with(spec);
    std::vector<std::unique_ptr<Asked>> asked;
    asked.push_back(row(1));
    asked.push_back(row(2));
    asked[1]->inputs.push_back(
        {"shift", ElementType::kI32, std::span<const int64_t>(kOneByOne), asked[1]->inputs[0].data.first(4)});
    asked[1]->request.inputs = asked[1]->inputs;
    for (const RequestState& state : with.run(asked)) CHECK_OK(state.status);
    CHECK(with.session.rows == (std::vector<int64_t>{1, 1}));
    CHECK(with.session.last_inputs == (std::vector<std::string>{"x", "shift", "text"}));
    with.run(row(3));
    CHECK(with.session.last_inputs == (std::vector<std::string>{"x", "text"}));
}

TEST("who breaks a run breaks it for nobody else") {
    WithSession with(batching(8));
    std::vector<std::unique_ptr<Asked>> asked;
    for (const int x : {1, -5, 3}) asked.push_back(row(x));
    const auto states = with.run(asked);
    CHECK(with.session.rows == (std::vector<int64_t>{3, 1, 1, 1}));
    CHECK_OK(states[0].status);
    CHECK_EQ(test::message_of(states[1].status), "MODEL_FAILED model 'rows': index out of range");
    CHECK_OK(states[2].status);
    CHECK_EQ(with.scratch.infer_runs.size(), 2u);
}

TEST("an output without a row for each runs its requests one by one") {
    WithSession with(batching(8));
    with.session.loses_rows = true;
    std::vector<std::unique_ptr<Asked>> asked;
    for (const int x : {1, 2}) asked.push_back(row(x));
    for (const RequestState& state : with.run(asked)) CHECK_OK(state.status);
    CHECK(with.session.rows == (std::vector<int64_t>{2, 1, 1}));
}

TEST("a bound that somebody gave is kept, one that was found refuses nobody") {
    const auto five = [] { return std::make_unique<Asked>(5, std::vector<int32_t>(10), std::vector<std::string>(5)); };
    const auto uneven = [] {
        auto asked = std::make_unique<Asked>(2, std::vector<int32_t>(4), std::vector<std::string>(2));
        asked->text_shape = {1, 2};
        asked->inputs[1].shape = asked->text_shape;
        return asked;
    };
    WithSession given(batching(4));
    CHECK_EQ(shown(given.run(five())[0]), "INVALID_ARGUMENT inference request batch-size must be <= 4 for 'rows'");
    CHECK_EQ(shown(given.run(uneven())[0]), "INVALID_ARGUMENT input 'text' batch size does not match other inputs for 'rows'");
    WithSession found(InferSpec{});
    CHECK_EQ(found.plan.why_not_batched, "");
    CHECK_EQ(found.plan.max_batch_size, 4u);
    CHECK_OK(found.run(five())[0].status);
    CHECK_OK(found.run(uneven())[0].status);
    CHECK(found.session.rows == (std::vector<int64_t>{5, 2}));
}

TEST("any mix of requests is answered as if each had run alone") {
    std::mt19937 random(7);
    const auto below = [&](uint32_t bound) { return random() % bound; };
    for (int round = 0; round < 300; ++round) {
        std::vector<std::unique_ptr<Asked>> asked;
        for (uint32_t count = 1 + below(12); count > 0; --count) {
            const uint32_t rows = below(8) == 0 ? 0 : 1 + below(3), x_width = 1 + below(2), text_width = below(3);
            std::vector<int32_t> numbers(rows * x_width);
            for (int32_t& number : numbers) number = below(40) == 0 ? -1 : static_cast<int32_t>(random() % 1000);
            std::vector<std::string> texts(rows * text_width);
            for (std::string& text : texts) text.assign(below(5), static_cast<char>(below(256)));
            asked.push_back(std::make_unique<Asked>(rows, std::move(numbers), std::move(texts), below(4)));
            if (below(3) == 0) asked.back()->want({{below(2) == 0 ? "same" : "doubled"}});
        }
        WithSession together(batching(1 + below(6) + 3)), alone(batching(9, false));
        const auto states = together.run(asked);
        for (size_t i = 0; i < asked.size(); ++i) {
            std::vector<std::unique_ptr<Asked>> one;
            one.push_back(std::move(asked[i]));
            CHECK_EQ(shown(states[i]), shown(alone.run(one)[0]));
            asked[i] = std::move(one[0]);
        }
    }
}

TEST("what the caller got wrong is told in the words that its users know") {
    WithSession with(batching(4));
    const auto refused = [&](auto&& change, std::string_view expected) {
        auto asked = row(1);
        change(*asked);
        CHECK_EQ(shown(with.run(std::move(asked))[0]), expected);
    };
    refused([](Asked& asked) { asked.inputs[0].name = "y"; },
            "INVALID_ARGUMENT unexpected inference input 'y' for model 'rows'; it has ['x', 'text']");
    refused([](Asked& asked) { asked.want({{"z"}}); },
            "INVALID_ARGUMENT unexpected inference output 'z' for model 'rows'; it has ['doubled', 'same']");
    refused([](Asked& asked) { asked.want({{"same", false, 2}}); },
            "INVALID_ARGUMENT class result not available for output 'same' due to unsupported type 'BYTES'");
    refused(
        [](Asked& asked) { asked.request.inputs = std::span(asked.inputs).first(1); },
        "INVALID_ARGUMENT expected 2 inputs but got 1 inputs for model 'rows'. Got input(s) ['x'], but missing required input(s) "
        "['text']. Please provide all required input(s).");
    refused([](Asked& asked) { asked.inputs[0].type = ElementType::kF32; },
            "INVALID_ARGUMENT inference input 'x' data-type is 'FP32', but model 'rows' expects 'INT32'");
    refused(
        [](Asked& asked) {
            asked.x_shape = {2};
            asked.inputs[0].shape = asked.x_shape;
        },
        "SHAPE_MISMATCH unexpected shape for input 'x' for model 'rows'. Expected [-1,-1], got [2]. NOTE: Setting a non-zero "
        "max_batch_size puts a batch dimension in front of the dims of every input.");
    refused([](Asked& asked) { asked.inputs[0].data = asked.inputs[0].data.first(7); },
            "SHAPE_MISMATCH input byte size mismatch for input 'x' for model 'rows'. Expected 8, got 7");
    CHECK(with.session.rows.empty());
}

TEST("the probe finds graphs that batch, and those that only look so") {
    if (!has_ort()) return;
    const auto found = [](const std::string& model) {
        const auto bundle = open_triton(model);
        CHECK_OK(bundle);
        const InferPlan& plan = *bundle.value()->infer_plan();
        return plan.max_batch_size == 0 ? plan.why_not_batched : std::to_string(plan.max_batch_size);
    };
    for (const char* model : {"simple", "simple_string", "simple_identity", "identity_fp16", "identity_bf16", "identity_bool",
                              "identity_bytes", "gather", "classifier", "slow"})
        CHECK_EQ(found(model), "4");
    CHECK_EQ(found("mean_over_batch"), "output 'OUTPUT0' of a row depends on the other rows of its run");
    CHECK_EQ(found("no_batch"), "input 'INPUT0' has shape [4], whose first dimension is no batch");
    CHECK_EQ(found("cached"), "output 'NONCE' of a row depends on the other rows of its run");
}

}  // namespace
}  // namespace rankd
