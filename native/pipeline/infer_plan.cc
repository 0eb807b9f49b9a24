// Declared tensors against the graph's, and what follows for batching.
#include "pipeline/infer_plan.h"

#include <algorithm>
#include <fstream>

#include "pipeline/plan.h"

namespace rankd::pipeline {
namespace {

using session::TensorInfo;

Status mismatch(std::string what) {
    return {Code::BUNDLE_SIGNATURE_MISMATCH, std::move(what)};
}

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

const InferTensor* find(const std::vector<InferTensor>& tensors, std::string_view name) {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const InferTensor& tensor) { return tensor.name() == name; });
    return found == tensors.end() ? nullptr : &*found;
}

/// -1 in front of what a manifest says, where requests are batched.
std::vector<int64_t> with_batch(std::vector<int64_t> dims, bool is_batched) {
    if (is_batched) dims.insert(dims.begin(), -1);
    return dims;
}

bool agree(std::span<const int64_t> graph, std::span<const int64_t> declared) {
    return std::equal(graph.begin(), graph.end(), declared.begin(), declared.end(),
                      [](int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; });
}

int64_t free_dims(std::span<const int64_t> shape) {
    return std::count(shape.begin(), shape.end(), -1);
}
int64_t fixed_elements(std::span<const int64_t> shape) {
    int64_t elements = 1;
    for (const int64_t dimension : shape) elements *= dimension < 0 ? 1 : dimension;
    return elements;
}

class Resolver {
  public:
    Resolver(InferPlan& plan, const InferSpec& spec) : plan_(plan), spec_(spec), is_batched_(plan.max_batch_size > 0) {}

    Status resolve() {
        RANKD_RETURN_IF_ERROR(resolve_inputs());
        return resolve_outputs();
    }

  private:
    std::string of_tensor(std::string_view name) const {
        return "model " + in_quotes(plan_.model) + ", tensor " + in_quotes(name) + ": ";
    }

    Status resolve_inputs() {
        const auto required = plan_.session->inputs(), optional = plan_.session->optional_inputs();
        for (const DeclaredTensor& declared : spec_.inputs) {
            const TensorInfo* info = find_tensor(required, declared.name);
            const bool has_default = info == nullptr;
            if (has_default) info = find_tensor(optional, declared.name);
            if (info == nullptr)
                return mismatch("unexpected inference input " + in_quotes(declared.name) + " for model " +
                                in_quotes(plan_.model) + ", allowed inputs are: " + names_of(required));
            RANKD_RETURN_IF_ERROR(add(plan_.inputs, *info, &declared));
            plan_.inputs.back().has_default = has_default;
        }
        for (const TensorInfo& info : required) {
            if (find(plan_.inputs, info.name) != nullptr) continue;
            if (!spec_.inputs.empty())
                return mismatch("unable to load model " + in_quotes(plan_.model) + ", configuration expects " +
                                std::to_string(spec_.inputs.size()) + " inputs, model provides " +
                                std::to_string(required.size()) + "; missing: " + in_quotes(info.name));
            RANKD_RETURN_IF_ERROR(add(plan_.inputs, info, nullptr));
        }
        return Status::ok();
    }

    Status resolve_outputs() {
        const auto outputs = plan_.session->outputs();
        for (const DeclaredTensor& declared : spec_.outputs) {
            const TensorInfo* info = find_tensor(outputs, declared.name);
            if (info == nullptr)
                return mismatch("unexpected inference output " + in_quotes(declared.name) + " for model " +
                                in_quotes(plan_.model) + ", allowed outputs are: " + names_of(outputs));
            RANKD_RETURN_IF_ERROR(add(plan_.outputs, *info, &declared));
        }
        if (!spec_.outputs.empty()) return Status::ok();
        for (const TensorInfo& info : outputs) {
            // Sequences and maps, as converters of classical models add them, cannot be sent; the tensors beside them can.
            if (info.type != ElementType::kOther) RANKD_RETURN_IF_ERROR(add(plan_.outputs, info, nullptr));
        }
        return Status::ok();
    }

    Status add(std::vector<InferTensor>& to, const TensorInfo& info, const DeclaredTensor* declared) {
        if (info.type == ElementType::kOther) return mismatch(of_tensor(info.name) + "its type is none of " + datatype_names());
        if (declared != nullptr) RANKD_RETURN_IF_ERROR(check(info, *declared));
        if (is_batched_) RANKD_RETURN_IF_ERROR(check_batch_dimension(info));
        InferTensor tensor{info, info.shape, !info.has_shape, {}, false, {}};
        if (declared != nullptr && declared->dims) {
            tensor.shape = with_batch(*declared->dims, is_batched_);
            tensor.is_any_shape = false;
            if (declared->reshape) tensor.reshape = with_batch(*declared->reshape, is_batched_);
        }
        to.push_back(std::move(tensor));
        return Status::ok();
    }

    Status check(const TensorInfo& info, const DeclaredTensor& declared) const {
        if (declared.type && *declared.type != info.type)
            return mismatch(of_tensor(info.name) + "the model configuration has datatype " +
                            std::string(datatype_name(*declared.type)) + ", the model expects " +
                            std::string(datatype_name(info.type)));
        if (declared.reshape) RANKD_RETURN_IF_ERROR(check_reshape(info, declared));
        if (!declared.dims || !info.has_shape) return Status::ok();
        const auto& dims = declared.reshape ? *declared.reshape : *declared.dims;
        const std::vector<int64_t> whole = with_batch(dims, is_batched_);
        if (agree(info.shape, whole)) return Status::ok();
        return mismatch(of_tensor(info.name) + "the model expects " + std::to_string(info.shape.size()) + " dimensions (shape " +
                        shape_text(info.shape) + ") but the model configuration specifies " + std::to_string(whole.size()) +
                        " dimensions (" + complete(dims, whole) + ")");
    }

    std::string complete(std::span<const int64_t> dims, std::span<const int64_t> whole) const {
        if (!is_batched_) return "shape " + shape_text(whole);
        return "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape " + shape_text(dims) +
               ", making complete shape " + shape_text(whole);
    }

    Status check_reshape(const TensorInfo& info, const DeclaredTensor& declared) const {
        if (free_dims(*declared.dims) == free_dims(*declared.reshape) &&
            fixed_elements(*declared.dims) == fixed_elements(*declared.reshape))
            return Status::ok();
        return mismatch(of_tensor(info.name) + "dims " + shape_text(*declared.dims) + " and reshape " +
                        shape_text(*declared.reshape) + " have different sizes");
    }

    Status check_batch_dimension(const TensorInfo& info) const {
        if (!info.has_shape || (!info.shape.empty() && info.shape[0] < 0)) return Status::ok();
        return mismatch(of_tensor(info.name) +
                        "for the model to support batching the shape should have at least 1 dimension and the first dimension "
                        "must be -1; but shape expected by the model is " +
                        shape_text(info.shape));
    }

    InferPlan& plan_;
    const InferSpec& spec_;
    const bool is_batched_;
};

/// In the bundle's folder, or in the model's, where model repositories keep what versions share.
Status read_labels(const std::string& file, const std::filesystem::path& folder, std::vector<std::string>& labels) {
    for (const auto& path : {folder / file, folder.parent_path() / file}) {
        std::ifstream in(path);
        if (!in) continue;
        for (std::string line; std::getline(in, line);) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            labels.push_back(std::move(line));
        }
        return Status::ok();
    }
    return {Code::BUNDLE_MISSING_FILE,
            "the labels file " + in_quotes(file) + " is neither in the version's folder nor in the model's"};
}

/// The dims that a manifest without a bound gives: whole ones, or ones without dimension 0, which then is the batch. The first
/// input that tells decides; the others are compared with the graph as any dims are.
enum class Dims { kNone, kWhole, kWithoutBatch };

Dims declared_dims(const InferSpec& spec, const session::Session& session) {
    Dims dims = Dims::kNone;
    for (const DeclaredTensor& declared : spec.inputs) {
        if (!declared.dims) continue;
        dims = Dims::kWhole;
        const TensorInfo* info = find_tensor(session.inputs(), declared.name);
        if (info == nullptr || !info->has_shape) continue;
        const auto& of_graph = declared.reshape ? *declared.reshape : *declared.dims;
        return of_graph.size() + 1 == info->shape.size() ? Dims::kWithoutBatch : Dims::kWhole;
    }
    return dims;
}

/// What the manifest says of batches, by a number or by its dims; else the bound is still open.
void read_bound(const InferSpec& spec, InferPlan& plan) {
    const Dims dims = spec.max_batch_size ? Dims::kNone : declared_dims(spec, *plan.session);
    plan.max_batch_size = spec.max_batch_size.value_or(dims == Dims::kWithoutBatch ? spec.preferred_max : 0);
    plan.is_bound_open = !spec.max_batch_size && dims == Dims::kNone;
    plan.is_bound_given = plan.max_batch_size > 0;
    plan.shares_runs = plan.is_bound_given && spec.dynamic_batching.value_or(dims == Dims::kWithoutBatch);
    if (dims == Dims::kWhole) plan.why_not_batched = "dims are given with every dimension, and no max_batch_size";
}

}  // namespace

std::string shape_text(std::span<const int64_t> shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) text.append(i == 0 ? "" : ",").append(std::to_string(shape[i]));
    return text + "]";
}

std::span<const int64_t> translated(std::span<const int64_t> shape, std::span<const int64_t> from, std::span<const int64_t> to,
                                    Arena& arena) {
    if (shape.size() != from.size()) return shape;
    const std::span<int64_t> out = arena.allocate<int64_t>(to.size());
    size_t at = 0;
    for (size_t i = 0; i < to.size(); ++i) {
        out[i] = to[i];
        if (to[i] >= 0) continue;
        while (at < from.size() && from[at] >= 0) ++at;
        if (at == from.size()) return shape;
        out[i] = shape[at++];
    }
    return out;
}

const InferTensor* InferPlan::input(std::string_view name) const {
    return find(inputs, name);
}
const InferTensor* InferPlan::output(std::string_view name) const {
    return find(outputs, name);
}

Result<InferPlan> resolve_infer(const std::string& model, const InferSpec& spec, session::Session& session,
                                const std::filesystem::path& folder) {
    InferPlan plan;
    plan.model = model;
    plan.session = &session;
    read_bound(spec, plan);
    RANKD_RETURN_IF_ERROR(Resolver(plan, spec).resolve());
    for (InferTensor& output : plan.outputs)
        for (const DeclaredTensor& declared : spec.outputs)
            if (declared.name == output.name() && !declared.labels.empty())
                RANKD_RETURN_IF_ERROR(read_labels(declared.labels, folder, output.labels));
    return plan;
}

}  // namespace rankd::pipeline
