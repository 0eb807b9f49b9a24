#include "pipeline/batch_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/bytes_tensor.h"
#include "pipeline/made_up_rows.h"
#include "wire/tensor_writer.h"

namespace rankd::pipeline {
namespace {

using session::AnyTensor;

/// The first that the graph accepts decides, and the one after it with the same sizes confirms. Images want more than a few
/// pixels.
constexpr std::array<Recipe, 8> kRecipes = {
    {{4, 3, 1}, {4, 3, 2}, {4, 2, 3}, {4, 2, 4}, {1, 2, 5}, {1, 2, 6}, {224, 2, 7}, {224, 2, 8}}};
constexpr size_t kPerSize = 2;

/// Beyond it a run says little and costs much.
constexpr size_t kMostElements = size_t{1} << 22;

/// How far two results of the same arithmetic may lie apart: runs of other sizes add in another order.
template <typename T>
bool are_close(std::span<const uint8_t> a, std::span<const uint8_t> b, double tolerance, auto&& number) {
    for (size_t at = 0; at < a.size(); at += sizeof(T)) {
        T x, y;
        std::memcpy(&x, a.data() + at, sizeof(T));
        std::memcpy(&y, b.data() + at, sizeof(T));
        const double p = number(x), q = number(y);
        if (std::memcmp(&x, &y, sizeof(T)) == 0 || (std::isnan(p) && std::isnan(q))) continue;
        if (!(std::abs(p - q) <= tolerance * (1 + std::abs(q)))) return false;
    }
    return true;
}

bool are_close(ElementType type, std::span<const uint8_t> a, std::span<const uint8_t> b) {
    if (a.size() != b.size()) return false;
    const auto itself = [](auto value) { return static_cast<double>(value); };
    switch (type) {
        case ElementType::kF32:
            return are_close<float>(a, b, 1e-3, itself);
        case ElementType::kF64:
            return are_close<double>(a, b, 1e-6, itself);
        case ElementType::kF16:
            return are_close<uint16_t>(a, b, 1e-2, wire::half_to_float);
        case ElementType::kBf16:
            return are_close<uint16_t>(a, b, 5e-2, wire::bfloat_to_float);
        default:
            return std::equal(a.begin(), a.end(), b.begin());
    }
}

bool has_rows(const AnyTensor& tensor, int64_t rows) {
    return !tensor.shape.empty() && tensor.shape[0] == rows;
}

class Probe {
  public:
    explicit Probe(const InferPlan& plan) : plan_(plan) {
        for (const InferTensor& input : plan.inputs)
            if (!input.has_default) names_.push_back(input.graph.name.c_str());
        for (const InferTensor& output : plan.outputs) output_names_.push_back(output.graph.name.c_str());
    }

    enum class Verdict { kSame, kMixed, kFailed };

    Verdict try_once(const Recipe& recipe) {
        rows_.clear();
        for (const InferTensor& input : plan_.inputs) {
            if (input.has_default) continue;
            if (MadeUpRows::elements(input.graph, recipe) > kMostElements)
                return failed("input '" + input.name() + "' is too large");
            rows_.emplace_back(input.graph, recipe, static_cast<uint32_t>(rows_.size()));
        }
        const auto together = run([](MadeUpRows& rows) { return rows.together(); });
        if (!together.is_ok()) return failed(together.status().message());
        std::vector<SplitRows> outputs;
        for (size_t i = 0; i < plan_.outputs.size(); ++i) {
            const AnyTensor& tensor = (*together.value())[i];
            if (!has_rows(tensor, kMadeUpRows)) return mixed(i, "does not have a row for each of its input's");
            outputs.emplace_back(tensor);
        }
        for (int64_t row = 0; row < kMadeUpRows; ++row) {
            const auto alone = run([&](MadeUpRows& rows) { return rows.alone(row); });
            if (!alone.is_ok()) return failed(alone.status().message());
            for (size_t i = 0; i < outputs.size(); ++i)
                if (!outputs[i].next_equals((*alone.value())[i]))
                    return mixed(i, "of a row depends on the other rows of its run");
        }
        return Verdict::kSame;
    }

    const std::string& why() const { return why_; }

  private:
    /// The rows of an output of all rows, one after the other.
    class SplitRows {
      public:
        explicit SplitRows(const AnyTensor& tensor) : tensor_(tensor), rest_(tensor.data) {
            for (const int64_t dimension : tensor.shape.subspan(1)) elements_ *= static_cast<size_t>(dimension);
        }
        bool next_equals(const AnyTensor& alone) {
            std::span<const uint8_t> mine;
            if (tensor_.type == ElementType::kBytes) {
                mine = take_bytes_elements(rest_, elements_);
            } else {
                mine = rest_.first(elements_ * element_bytes(tensor_.type));
                rest_ = rest_.subspan(mine.size());
            }
            return has_rows(alone, 1) &&
                   std::equal(tensor_.shape.begin() + 1, tensor_.shape.end(), alone.shape.begin() + 1, alone.shape.end()) &&
                   are_close(tensor_.type, mine, alone.data);
        }

      private:
        AnyTensor tensor_;
        std::span<const uint8_t> rest_;
        size_t elements_ = 1;
    };

    template <typename Part>
    Result<std::unique_ptr<session::Outputs>> run(Part&& part) {
        inputs_.clear();
        for (MadeUpRows& rows : rows_) inputs_.push_back(part(rows));
        return plan_.session->infer(names_, inputs_, output_names_);
    }

    Verdict mixed(size_t output, const std::string& how) {
        why_ = "output '" + plan_.outputs[output].name() + "' " + how;
        return Verdict::kMixed;
    }
    /// The first attempt's reason is kept: later ones are odder.
    Verdict failed(const std::string& why) {
        if (why_.empty()) why_ = "runs on made-up rows failed: " + why;
        return Verdict::kFailed;
    }

    const InferPlan& plan_;
    std::vector<const char*> names_, output_names_;
    std::vector<MadeUpRows> rows_;
    std::vector<AnyTensor> inputs_;
    std::string why_;
};

/// @return empty when all shapes allow it
std::string fixed_shape(std::span<const InferTensor> tensors, std::string_view what) {
    for (const InferTensor& tensor : tensors) {
        const auto is_free = [](std::span<const int64_t> shape) { return !shape.empty() && shape[0] < 0; };
        if (!tensor.graph.has_shape && what == "output") continue;
        if (is_free(tensor.graph.shape) && is_free(tensor.shape) && !tensor.reshape) continue;
        return std::string(what) + " '" + tensor.name() + "' has shape " + shape_text(tensor.shape) +
               ", whose first dimension is no batch";
    }
    return {};
}

}  // namespace

std::string why_not_batched(const InferPlan& plan) {
    if (std::string why = fixed_shape(plan.inputs, "input"); !why.empty()) return why;
    if (std::string why = fixed_shape(plan.outputs, "output"); !why.empty()) return why;
    if (plan.inputs.empty() || plan.outputs.empty()) return "the graph has no inputs or no outputs";
    Probe probe(plan);
    for (size_t first = 0; first < kRecipes.size(); first += kPerSize) {
        size_t same = 0;
        for (size_t i = first; i < first + kPerSize; ++i) {
            const Probe::Verdict verdict = probe.try_once(kRecipes[i]);
            if (verdict == Probe::Verdict::kMixed) return probe.why();
            if (verdict == Probe::Verdict::kFailed) break;
            ++same;
        }
        if (same == kPerSize) return {};
    }
    return probe.why();
}

void decide_batching(InferPlan& plan, const InferSpec& spec) {
    if (spec.preferred_max == 0) {
        plan.why_not_batched = "preferred_max is 0";
        return;
    }
    plan.why_not_batched = why_not_batched(plan);
    if (!plan.why_not_batched.empty()) return;
    plan.max_batch_size = spec.preferred_max;
    plan.shares_runs = spec.dynamic_batching.value_or(true);
}

}  // namespace rankd::pipeline
