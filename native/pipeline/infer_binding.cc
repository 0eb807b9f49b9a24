// Checks in the order in which a caller would want to be told.
#include "pipeline/infer_binding.h"

#include <algorithm>

#include "base/bytes_tensor.h"
#include "pipeline/classification.h"

namespace rankd::pipeline {
namespace {

using session::AnyTensor;
using wire::NamedTensor;

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

template <typename Names>
std::string list_of(const Names& names) {
    std::string text = "[";
    for (const std::string_view name : names) text += (text.size() == 1 ? "" : ", ") + in_quotes(name);
    return text + "]";
}

bool fits(std::span<const int64_t> shape, const InferTensor& tensor) {
    return tensor.is_any_shape || std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end(),
                                             [](int64_t size, int64_t wanted) { return wanted < 0 || size == wanted; });
}

uint64_t element_count(std::span<const int64_t> shape) {
    uint64_t count = 1;
    for (const int64_t dimension : shape) count *= static_cast<uint64_t>(dimension);
    return count;
}

class Binder {
  public:
    Binder(const InferPlan& plan, const wire::Request& request, Arena& arena, BoundRequest& bound)
        : plan_(plan), request_(request), arena_(arena), bound_(bound) {}

    Status bind() {
        bound_.inputs = arena_.allocate<AnyTensor>(plan_.inputs.size());
        std::fill(bound_.inputs.begin(), bound_.inputs.end(), AnyTensor{});
        RANKD_RETURN_IF_ERROR(bind_outputs());
        RANKD_RETURN_IF_ERROR(request_.has_raw_input ? bind_raw() : bind_inputs());
        RANKD_RETURN_IF_ERROR(count_rows());
        for (size_t i = 0; i < bound_.inputs.size(); ++i) reshape(plan_.inputs[i], bound_.inputs[i]);
        bound_.kind = hash();
        return Status::ok();
    }

  private:
    std::string for_model() const { return " for model " + in_quotes(plan_.model); }

    Status bind_outputs() {
        const bool wants_all = request_.outputs.empty();
        bound_.outputs = arena_.allocate<uint32_t>(wants_all ? plan_.outputs.size() : request_.outputs.size());
        for (uint32_t i = 0; i < bound_.outputs.size(); ++i) {
            const InferTensor* output = wants_all ? &plan_.outputs[i] : plan_.output(request_.outputs[i].name);
            if (output == nullptr)
                return {Code::INVALID_ARGUMENT, "unexpected inference output " + in_quotes(request_.outputs[i].name) +
                                                    for_model() + "; it has " + list_of(names_of(plan_.outputs))};
            if (!wants_all && request_.outputs[i].classes > 0 && !can_classify(output->graph.type))
                return {Code::INVALID_ARGUMENT, "class result not available for output " + in_quotes(output->name()) +
                                                    " due to unsupported type '" +
                                                    std::string(datatype_name(output->graph.type)) + "'"};
            bound_.outputs[i] = static_cast<uint32_t>(output - plan_.outputs.data());
        }
        return Status::ok();
    }

    Status bind_inputs() {
        for (const NamedTensor& tensor : request_.inputs)
            if (plan_.input(tensor.name) == nullptr)
                return {Code::INVALID_ARGUMENT, "unexpected inference input " + in_quotes(tensor.name) + for_model() +
                                                    "; it has " + list_of(names_of(plan_.inputs))};
        RANKD_RETURN_IF_ERROR(check_complete());
        for (const NamedTensor& tensor : request_.inputs) {
            const InferTensor& input = *plan_.input(tensor.name);
            RANKD_RETURN_IF_ERROR(check(input, tensor));
            bound_.inputs[static_cast<size_t>(&input - plan_.inputs.data())] = {tensor.data, tensor.type, tensor.shape};
        }
        return Status::ok();
    }

    static std::vector<std::string_view> names_of(std::span<const InferTensor> tensors) {
        std::vector<std::string_view> names;
        for (const InferTensor& tensor : tensors) names.push_back(tensor.name());
        return names;
    }

    bool came(const InferTensor& input) const {
        return std::any_of(request_.inputs.begin(), request_.inputs.end(),
                           [&](const NamedTensor& tensor) { return tensor.name == input.name(); });
    }

    Status check_complete() const {
        const auto lacks = [&](const InferTensor& input) { return !input.has_default && !came(input); };
        if (std::none_of(plan_.inputs.begin(), plan_.inputs.end(), lacks)) return Status::ok();
        std::vector<std::string_view> sent, missing;
        for (const NamedTensor& tensor : request_.inputs) sent.push_back(tensor.name);
        for (const InferTensor& input : plan_.inputs)
            if (lacks(input)) missing.push_back(input.name());
        return {Code::INVALID_ARGUMENT, "expected " + std::to_string(plan_.inputs.size()) + " inputs but got " +
                                            std::to_string(sent.size()) + " inputs" + for_model() + ". Got input(s) " +
                                            list_of(sent) + ", but missing required input(s) " + list_of(missing) +
                                            ". Please provide all required input(s)."};
    }

    Status check(const InferTensor& input, const NamedTensor& tensor) const {
        if (tensor.type != input.graph.type)
            return {Code::INVALID_ARGUMENT, "inference input " + in_quotes(tensor.name) + " data-type is '" +
                                                std::string(datatype_name(tensor.type)) + "', but model " +
                                                in_quotes(plan_.model) + " expects '" +
                                                std::string(datatype_name(input.graph.type)) + "'"};
        if (!fits(tensor.shape, input)) return unexpected_shape(input, tensor.shape);
        if (input.graph.type == ElementType::kBytes) return Status::ok();
        return check_size(input, tensor.shape, tensor.data.size());
    }

    Status unexpected_shape(const InferTensor& input, std::span<const int64_t> shape) const {
        std::string text = "unexpected shape for input " + in_quotes(input.name()) + for_model() + ". Expected " +
                           shape_text(input.shape) + ", got " + shape_text(shape) + ".";
        if (plan_.is_bound_given)
            text += " NOTE: Setting a non-zero max_batch_size puts a batch dimension in front of the dims of every input.";
        return {Code::SHAPE_MISMATCH, std::move(text)};
    }

    Status check_size(const InferTensor& input, std::span<const int64_t> shape, size_t bytes) const {
        const uint64_t expected = element_count(shape) * element_bytes(input.graph.type);
        if (bytes == expected) return Status::ok();
        return {Code::SHAPE_MISMATCH, "input byte size mismatch for input " + in_quotes(input.name()) + for_model() +
                                          ". Expected " + std::to_string(expected) + ", got " + std::to_string(bytes)};
    }

    /// A body that is the one input: its shape follows from the model's, with a batch of one.
    Status bind_raw() {
        const auto required =
            std::count_if(plan_.inputs.begin(), plan_.inputs.end(), [](const InferTensor& input) { return !input.has_default; });
        if (required != 1)
            return {Code::INVALID_ARGUMENT, "Raw request must only have 1 input (found 1) to be deduced but got " +
                                                std::to_string(required) + " inputs in " + in_quotes(plan_.model)};
        const InferTensor& input = *std::find_if(plan_.inputs.begin(), plan_.inputs.end(),
                                                 [](const InferTensor& tensor) { return !tensor.has_default; });
        AnyTensor& tensor = bound_.inputs[static_cast<size_t>(&input - plan_.inputs.data())];
        const std::span<int64_t> shape = arena_.allocate<int64_t>(input.shape.size());
        std::copy(input.shape.begin(), input.shape.end(), shape.begin());
        if (plan_.max_batch_size > 0 && !shape.empty()) shape[0] = 1;
        tensor = {request_.raw_input, input.graph.type, shape};
        return tensor.type == ElementType::kBytes ? bind_raw_bytes(input, shape, tensor) : deduce_shape(input, shape);
    }

    Status bind_raw_bytes(const InferTensor& input, std::span<int64_t> shape, AnyTensor& tensor) const {
        if (input.is_any_shape || shape.empty() ||
            std::any_of(shape.begin(), shape.end(), [](int64_t size) { return size != 1; }))
            return {Code::INVALID_ARGUMENT,
                    "For BYTE datatype raw input " + in_quotes(input.name()) + ", the model must have input shape [1]"};
        const std::string_view body(reinterpret_cast<const char*>(request_.raw_input.data()), request_.raw_input.size());
        const auto element = arena_.allocate<uint8_t>(kElementLengthBytes + body.size());
        write_bytes_element(element.data(), body);
        tensor.data = element;
        return Status::ok();
    }

    Status deduce_shape(const InferTensor& input, std::span<int64_t> shape) const {
        const auto free = std::find(shape.begin(), shape.end(), -1);
        if (input.is_any_shape || std::count(shape.begin(), shape.end(), -1) > 1)
            return {Code::INVALID_ARGUMENT, "The shape of the raw input " + in_quotes(input.name()) +
                                                " can not be deduced because there are more than one variable-sized dimension"};
        if (free != shape.end()) {
            *free = 1;
            const uint64_t each = element_count(shape) * element_bytes(input.graph.type);
            *free = each == 0 ? 0 : static_cast<int64_t>(request_.raw_input.size() / each);
        }
        return check_size(input, shape, request_.raw_input.size());
    }

    /// Rows that a caller disagrees with itself about are refused where somebody gave a bound, as whoever gives one expects.
    /// Where the bound is ours, such a request runs alone.
    Status count_rows() {
        if (plan_.max_batch_size == 0) return Status::ok();
        bool is_first = true, is_even = true;
        for (size_t i = 0; i < bound_.inputs.size(); ++i) {
            const AnyTensor& tensor = bound_.inputs[i];
            if (!is_present(tensor)) continue;
            const int64_t rows = tensor.shape.empty() ? -1 : tensor.shape[0];
            if (is_first) bound_.rows = rows;
            is_first = false;
            if (rows == bound_.rows && rows >= 0) continue;
            is_even = false;
            if (plan_.is_bound_given)
                return {Code::INVALID_ARGUMENT, "input " + in_quotes(plan_.inputs[i].name()) +
                                                    " batch size does not match other inputs for " + in_quotes(plan_.model)};
        }
        const bool is_within = bound_.rows <= static_cast<int64_t>(plan_.max_batch_size);
        if (plan_.is_bound_given && !is_within)
            return {Code::INVALID_ARGUMENT, "inference request batch-size must be <= " + std::to_string(plan_.max_batch_size) +
                                                " for " + in_quotes(plan_.model)};
        bound_.can_share = plan_.shares_runs && is_even && is_within && !is_first;
        bound_.rows = std::max<int64_t>(bound_.rows, 0);
        return Status::ok();
    }

    /// From the shape that callers see to the graph's.
    void reshape(const InferTensor& input, AnyTensor& tensor) const {
        if (!input.reshape || !is_present(tensor)) return;
        tensor.shape = translated(tensor.shape, input.shape, *input.reshape, arena_);
    }

    uint64_t hash() const {
        uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, a number at a time
        const auto add = [&](uint64_t number) { hash = (hash ^ number) * 0x100000001b3; };
        for (const AnyTensor& tensor : bound_.inputs) {
            add(is_present(tensor));
            if (is_present(tensor))
                for (const int64_t dimension : tensor.shape.subspan(tensor.shape.empty() ? 0 : 1))
                    add(static_cast<uint64_t>(dimension));
        }
        return hash;
    }

    const InferPlan& plan_;
    const wire::Request& request_;
    Arena& arena_;
    BoundRequest& bound_;
};

}  // namespace

Status bind_request(const InferPlan& plan, const wire::Request& request, Arena& arena, BoundRequest& bound) {
    return Binder(plan, request, arena, bound).bind();
}

bool agree(const BoundRequest& a, const BoundRequest& b) {
    const auto same = [](const AnyTensor& x, const AnyTensor& y) {
        if (x.type != y.type || x.shape.size() != y.shape.size()) return false;
        return x.shape.empty() || std::equal(x.shape.begin() + 1, x.shape.end(), y.shape.begin() + 1);
    };
    return a.kind == b.kind && std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), same);
}

}  // namespace rankd::pipeline
