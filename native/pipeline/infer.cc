#include "pipeline/infer.h"

#include <algorithm>
#include <cstring>

namespace rankd::pipeline {
namespace {

using session::AnyTensor;
using session::TensorInfo;

std::string describe(std::span<const int64_t> shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) text.append(i == 0 ? "" : ", ").append(std::to_string(shape[i]));
    return text + "]";
}

bool fits(std::span<const int64_t> shape, const TensorInfo& info) {
    return std::equal(shape.begin(), shape.end(), info.shape.begin(), info.shape.end(),
                      [](int64_t size, int64_t wanted) { return wanted < 0 || size == wanted; });
}

Status check_names(const wire::Request& request, std::span<const TensorInfo> inputs) {
    for (const wire::NamedTensor& tensor : request.inputs)
        if (find_tensor(inputs, tensor.name) == nullptr)
            return {Code::INVALID_ARGUMENT,
                    "inputs: this model has no input \"" + std::string(tensor.name) + "\", only: " + names_of(inputs)};
    return Status::ok();
}

/// Elements of msgpack start anywhere; a graph reads them in place, so they must be aligned.
const void* aligned(std::span<const uint8_t> data, ElementType type, Arena& arena) {
    if (!data.empty() && reinterpret_cast<uintptr_t>(data.data()) % element_bytes(type) == 0) return data.data();
    // A tensor without elements still needs an address.
    const auto copy = arena.allocate<uint8_t>(std::max<size_t>(data.size(), 64));
    if (!data.empty()) std::memcpy(copy.data(), data.data(), data.size());
    return copy.data();
}

Status bind_input(const wire::Request& request, const TensorInfo& info, Arena& arena, AnyTensor& bound) {
    const auto sent = std::find_if(request.inputs.begin(), request.inputs.end(),
                                   [&](const wire::NamedTensor& tensor) { return tensor.name == info.name; });
    const std::string where = "inputs: \"" + info.name + "\" must be " + session::describe(info);
    if (sent == request.inputs.end()) return {Code::INVALID_ARGUMENT, where + ", and it did not come"};
    if (sent->type != info.type)
        return {Code::INVALID_ARGUMENT, where + ", got " + std::string(element_type_name(sent->type)) + " (" +
                                            std::string(datatype_name(sent->type)) + ")"};
    if (!fits(sent->shape, info)) return {Code::SHAPE_MISMATCH, where + ", got shape " + describe(sent->shape)};
    bound = {aligned(sent->data, sent->type, arena), sent->type, sent->shape};
    return Status::ok();
}

/// The names of the outputs to compute, as the graph spells them.
Status choose_outputs(const wire::Request& request, std::span<const TensorInfo> outputs, std::span<const char*> names) {
    if (request.outputs.empty()) {
        std::transform(outputs.begin(), outputs.end(), names.begin(), [](const TensorInfo& info) { return info.name.c_str(); });
        return Status::ok();
    }
    for (size_t i = 0; i < request.outputs.size(); ++i) {
        const TensorInfo* info = find_tensor(outputs, request.outputs[i].name);
        if (info == nullptr)
            return {Code::INVALID_ARGUMENT, "outputs: this model has no output \"" + std::string(request.outputs[i].name) +
                                                "\", only: " + names_of(outputs)};
        names[i] = info->name.c_str();
    }
    return Status::ok();
}

wire::NamedTensor keep(std::string_view name, const AnyTensor& tensor, Arena& arena) {
    const auto shape = arena.allocate<int64_t>(tensor.shape.size());
    std::copy(tensor.shape.begin(), tensor.shape.end(), shape.begin());
    const auto data = arena.allocate<uint8_t>(tensor.bytes());
    if (!data.empty()) std::memcpy(data.data(), tensor.data, data.size());
    return {name, tensor.type, shape, data};
}

Status infer(const Graph& graph, Arena& arena, RequestState& state) {
    session::Session& session = *graph.session;
    const wire::Request& request = *state.request;
    RANKD_RETURN_IF_ERROR(check_names(request, session.inputs()));
    const auto inputs = arena.allocate<AnyTensor>(session.inputs().size());
    for (size_t i = 0; i < inputs.size(); ++i) RANKD_RETURN_IF_ERROR(bind_input(request, session.inputs()[i], arena, inputs[i]));
    const size_t count = request.outputs.empty() ? session.outputs().size() : request.outputs.size();
    const auto names = arena.allocate<const char*>(count);
    RANKD_RETURN_IF_ERROR(choose_outputs(request, session.outputs(), names));
    const auto outputs = arena.allocate<wire::NamedTensor>(count);
    state.outputs = outputs;
    return session
        .infer(inputs, names, [&](size_t place, const AnyTensor& tensor) { outputs[place] = keep(names[place], tensor, arena); })
        .within("graph \"" + graph.spec->name + "\"");
}

}  // namespace

void run_infer(const Graph& graph, Arena& arena, std::span<RequestState> requests) {
    for (RequestState& state : requests)
        if (state.is_ok()) state.status = infer(graph, arena, state);
}

}  // namespace rankd::pipeline
