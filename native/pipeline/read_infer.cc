// Strict reading of `infer`.
#include "pipeline/read_infer.h"

#include <filesystem>
#include <limits>

namespace rankd::pipeline {
namespace {

using simdjson::dom::element;

constexpr uint64_t kMostBatch = 1u << 20;
constexpr uint64_t kMostThreads = 1024;
constexpr uint64_t kMostTimeoutUs = uint64_t{1} << 50;

/// In a bundle's folder or the one above it, never elsewhere.
bool is_inside(const std::string& file) {
    const std::filesystem::path path(file);
    if (path.empty() || path.is_absolute() || file.find('\0') != std::string::npos) return false;
    for (const auto& part : path)
        if (part == "..") return false;
    return true;
}

Status read_dims(Fields& fields, std::string_view key, std::optional<std::vector<int64_t>>& out) {
    const auto value = fields.take(key);
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid(fields.path(key), "must be a list of dimensions");
    out.emplace();
    for (const element entry : list) {
        int64_t dimension = 0;
        if (entry.get(dimension) != simdjson::SUCCESS || dimension == 0 || dimension < -1)
            return invalid(fields.path(key), "must list dimensions: integers from 1, or -1 for any");
        out->push_back(dimension);
    }
    return Status::ok();
}

Status read_datatype(Fields& fields, std::optional<ElementType>& out) {
    std::string name;
    RANKD_RETURN_IF_ERROR(fields.text("datatype", name));
    if (name.empty()) return Status::ok();
    out = element_type_from_datatype(name);
    return out ? Status::ok() : invalid(fields.path("datatype"), "is \"" + name + "\", expected one of: " + datatype_names());
}

Status read_tensor(Fields& fields, bool is_input, DeclaredTensor& tensor) {
    RANKD_RETURN_IF_ERROR(fields.text("name", tensor.name, true));
    RANKD_RETURN_IF_ERROR(read_datatype(fields, tensor.type));
    RANKD_RETURN_IF_ERROR(read_dims(fields, "dims", tensor.dims));
    RANKD_RETURN_IF_ERROR(read_dims(fields, "reshape", tensor.reshape));
    if (tensor.reshape && !tensor.dims) return invalid(fields.path("reshape"), "needs \"dims\" beside it");
    if (is_input) {
        // Whether it may be left out in fact, the graph says: it must have a value of its own.
        bool is_optional = false;
        RANKD_RETURN_IF_ERROR(fields.flag("optional", is_optional));
    } else {
        RANKD_RETURN_IF_ERROR(fields.text("labels", tensor.labels));
        if (!tensor.labels.empty() && !is_inside(tensor.labels))
            return invalid(fields.path("labels"), "must be a file of the model's folder");
    }
    return fields.finish();
}

Status read_tensors(Fields& parent, std::string_view key, std::vector<DeclaredTensor>& out) {
    const auto value = parent.take(key);
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid(parent.path(key), "must be a list of tensors");
    for (const element entry : list) {
        const std::string where = parent.path(key) + "[" + std::to_string(out.size()) + "]";
        RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(entry, where));
        DeclaredTensor tensor;
        RANKD_RETURN_IF_ERROR(read_tensor(fields, key == "inputs", tensor));
        for (const DeclaredTensor& other : out)
            if (other.name == tensor.name) return invalid(where, "is \"" + tensor.name + "\" for the second time");
        out.push_back(std::move(tensor));
    }
    return Status::ok();
}

Status read_queue(Fields& parent, QueueSpec& queue) {
    const auto value = parent.take("queue");
    if (!value) return Status::ok();
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(*value, parent.path("queue")));
    uint64_t max_size = 0, priority = 0;
    RANKD_RETURN_IF_ERROR(fields.whole("max_size", max_size, 0, UINT32_MAX));
    RANKD_RETURN_IF_ERROR(fields.whole("default_timeout_us", queue.default_timeout_us, 0, kMostTimeoutUs));
    RANKD_RETURN_IF_ERROR(fields.flag("allow_timeout_override", queue.allow_timeout_override));
    RANKD_RETURN_IF_ERROR(fields.whole("default_priority", priority, 0, 9));
    std::string action;
    RANKD_RETURN_IF_ERROR(fields.text("timeout_action", action));
    if (!action.empty() && action != "reject" && action != "delay")
        return invalid(fields.path("timeout_action"), "is \"" + action + "\", expected one of: reject, delay");
    queue.max_size = static_cast<uint32_t>(max_size);
    queue.default_priority = static_cast<uint8_t>(priority);
    queue.delays_late_requests = action == "delay";
    return fields.finish();
}

Status read_session(Fields& parent, session::SessionOptions& options) {
    const auto value = parent.take("session");
    if (!value) return Status::ok();
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(*value, parent.path("session")));
    uint64_t intra = 1, inter = 1;
    RANKD_RETURN_IF_ERROR(fields.whole("intra_op_threads", intra, 0, kMostThreads));
    RANKD_RETURN_IF_ERROR(fields.whole("inter_op_threads", inter, 0, kMostThreads));
    options.intra_op_threads = static_cast<int>(intra);
    options.inter_op_threads = static_cast<int>(inter);
    std::string mode;
    RANKD_RETURN_IF_ERROR(fields.text("execution_mode", mode));
    if (!mode.empty() && mode != "sequential" && mode != "parallel")
        return invalid(fields.path("execution_mode"), "is \"" + mode + "\", expected one of: sequential, parallel");
    options.is_parallel = mode == "parallel";
    if (const auto given = fields.take("entries")) {
        RANKD_ASSIGN_OR_RETURN(const Fields entries, Fields::of(*given, fields.path("entries")));
        for (const auto& [key, entry] : entries.entries()) {
            std::string_view text;
            if (entry.get(text) != simdjson::SUCCESS) return invalid(entries.path(key), "must be text");
            options.entries.emplace(key, text);
        }
    }
    return fields.finish();
}

Status read_warmup(Fields& parent, std::vector<std::string>& out) {
    const auto value = parent.take("warmup");
    if (!value) return Status::ok();
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return invalid(parent.path("warmup"), "must be a list of requests");
    for (const element entry : list) {
        if (!entry.is_object()) return invalid(parent.path("warmup"), "must list bodies of infer, each an object");
        out.push_back(simdjson::minify(entry));
    }
    return Status::ok();
}

Status read_batching(Fields& fields, InferSpec& infer) {
    uint64_t max_batch_size = 0, preferred_max = infer.preferred_max;
    bool dynamic_batching = false;
    RANKD_RETURN_IF_ERROR(fields.whole("max_batch_size", max_batch_size, 0, kMostBatch));
    RANKD_RETURN_IF_ERROR(fields.whole("preferred_max", preferred_max, 0, kMostBatch));
    RANKD_RETURN_IF_ERROR(fields.flag("dynamic_batching", dynamic_batching));
    if (fields.take("max_batch_size")) infer.max_batch_size = static_cast<uint32_t>(max_batch_size);
    if (fields.take("dynamic_batching")) infer.dynamic_batching = dynamic_batching;
    infer.preferred_max = static_cast<uint32_t>(preferred_max);
    return Status::ok();
}

}  // namespace

Result<InferSpec> read_infer(const element& value, const std::string& where) {
    RANKD_ASSIGN_OR_RETURN(Fields fields, Fields::of(value, where));
    InferSpec infer;
    RANKD_RETURN_IF_ERROR(read_batching(fields, infer));
    RANKD_RETURN_IF_ERROR(read_tensors(fields, "inputs", infer.inputs));
    RANKD_RETURN_IF_ERROR(read_tensors(fields, "outputs", infer.outputs));
    RANKD_RETURN_IF_ERROR(fields.flag("response_cache", infer.response_cache));
    RANKD_RETURN_IF_ERROR(read_queue(fields, infer.queue));
    RANKD_RETURN_IF_ERROR(read_session(fields, infer.session));
    RANKD_RETURN_IF_ERROR(read_warmup(fields, infer.warmup));
    RANKD_RETURN_IF_ERROR(fields.finish());
    return infer;
}

}  // namespace rankd::pipeline
