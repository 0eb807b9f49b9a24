#include "wire/oip_decoder.h"

#include <array>
#include <bit>
#include <optional>

#include "wire/bytes_tensor.h"
#include "wire/describe.h"
#include "wire/find_duplicate.h"
#include "wire/oip_data.h"

namespace rankd::wire {
namespace {

using Element = simdjson::dom::element;

Status invalid(std::string message) {
    return {Code::INVALID_ARGUMENT, std::move(message)};
}

/// A member of the body and whose it is; becomes words only when it is at fault: "'datatype' of input 'x'".
struct Member {
    std::string_view name;
    std::string_view of = {};  ///< "input" or "output"
    std::string_view owner = {};

    std::string text() const { return of.empty() ? concat("'", name, "'") : concat("'", name, "' of ", of, " '", owner, "'"); }
};

Status unable_to_parse(const Member& member, std::string_view expected, const Element& value) {
    return invalid(concat("Unable to parse ", member.text(), ": must be ", expected, ", got ", describe(JsonValue(value))));
}

/// Those of a map's members that have a meaning; the protocol says to ignore the others.
template <size_t kCount>
Status read_members(const Member& what, const Element& value, const std::array<std::string_view, kCount>& names,
                    std::array<std::optional<Element>, kCount>& members) {
    simdjson::dom::object map;
    if (value.get(map) != simdjson::SUCCESS) return unable_to_parse(what, "a map", value);
    for (const auto [key, member] : map) {
        for (size_t i = 0; i < kCount; ++i) {
            if (key != names[i]) continue;
            if (members[i]) return invalid(concat("Unable to parse ", what.text(), ": it has the member '", key, "' twice"));
            members[i] = member;
        }
    }
    return Status::ok();
}

Status read_bool(const Member& member, const Element& value, bool& out) {
    return value.get(out) == simdjson::SUCCESS ? Status::ok() : unable_to_parse(member, "true or false", value);
}

Status read_natural(const Member& member, const Element& value, uint64_t& out) {
    return value.get(out) == simdjson::SUCCESS ? Status::ok() : unable_to_parse(member, "an integer from 0", value);
}

uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/// Of a value that a parameter may have; nothing for others.
std::optional<uint64_t> hash_of(const Element& value) {
    const JsonValue json(value);
    const auto type = static_cast<uint64_t>(json.type());
    switch (json.type()) {
        case ValueType::kBool:
            return mix(type, json.boolean());
        case ValueType::kUnsigned:
            return mix(type, json.integer());
        case ValueType::kNegative:
            return mix(type, static_cast<uint64_t>(json.negative()));
        case ValueType::kFloat:
            return mix(type, std::bit_cast<uint64_t>(json.number()));
        case ValueType::kText:
            return mix(type, std::hash<std::string_view>{}(json.text()));
        default:
            return std::nullopt;
    }
}

/// Elements of a shape; nothing when 63 bits do not count them.
std::optional<uint64_t> element_count(std::span<const int64_t> shape) {
    uint64_t count = 1;
    bool is_counted = true;
    for (const int64_t dimension : shape) {
        if (dimension == 0) return 0;
        is_counted = is_counted && static_cast<uint64_t>(dimension) <= static_cast<uint64_t>(INT64_MAX) / count;
        if (is_counted) count *= static_cast<uint64_t>(dimension);
    }
    return is_counted ? std::optional(count) : std::nullopt;
}

}  // namespace

struct OipDecoder::InputParts {
    std::optional<Element> data, binary_size, region;
};

Status OipDecoder::decode(JsonParser& parser, std::span<const uint8_t> body) {
    const size_t json_bytes = context_.json_bytes == kAllJson ? body.size() : context_.json_bytes;
    if (json_bytes > body.size())
        return invalid(concat("inference header size should be in range (0, ", body.size(), "), got: ", json_bytes));
    if (json_bytes == 0 && context_.json_bytes != kAllJson) {
        request_.raw_input = body;
        request_.has_raw_input = request_.wants_binary = true;
        return Status::ok();
    }
    RANKD_RETURN_IF_ERROR(parse_oip_json(parser, body.first(json_bytes), document_));
    binary_ = body.subspan(json_bytes);
    std::array<std::optional<Element>, 4> members;
    RANKD_RETURN_IF_ERROR(read_members({"the request"}, document_.root, {{"id", "parameters", "inputs", "outputs"}}, members));
    const auto& [id, parameters, inputs, outputs] = members;
    request_.has_id = id.has_value();
    if (id) RANKD_RETURN_IF_ERROR(read_text("id", *id, request_.id));
    if (parameters) RANKD_RETURN_IF_ERROR(read_request_parameters(*parameters));
    if (!inputs) return invalid("Unable to parse 'inputs': the request has none");
    RANKD_RETURN_IF_ERROR(read_inputs(*inputs));
    return outputs ? read_outputs(*outputs) : Status::ok();
}

Status OipDecoder::read_text(std::string_view what, const Element& value, std::string_view& text) {
    std::string_view read;
    if (value.get(read) != simdjson::SUCCESS) return unable_to_parse({what}, "text", value);
    if (read.size() > limits_.max_string_bytes)
        return {Code::LIMIT_EXCEEDED,
                concat("'", what, "' has ", read.size(), " bytes: at most ", limits_.max_string_bytes, " are accepted")};
    text = arena_.copy(read);
    return Status::ok();
}

Status OipDecoder::read_request_parameters(const Element& parameters) {
    simdjson::dom::object map;
    if (parameters.get(map) != simdjson::SUCCESS) return unable_to_parse({"parameters"}, "a map", parameters);
    for (const auto [key, value] : map) RANKD_RETURN_IF_ERROR(read_request_parameter(key, value));
    return Status::ok();
}

Status OipDecoder::read_request_parameter(std::string_view key, const Element& value) {
    // The door reads these two before the body is decoded (oip_head.h); what belongs to sequences means nothing to us.
    uint64_t natural = 0;
    if (key == "priority" || key == "timeout") return read_natural({key}, value, natural);
    if (key == "binary_data_output") return read_bool({key}, value, request_.wants_binary);
    if (key == "sequence_id" || key == "sequence_start" || key == "sequence_end" || key == "headers") return Status::ok();
    if (key.starts_with("triton_"))
        return invalid("parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.");
    const auto hash = hash_of(value);
    if (!hash) return unable_to_parse({key, "the", "parameters"}, "text, a number or a boolean", value);
    // A sum, so that the order of the keys means nothing.
    request_.parameters += mix(std::hash<std::string_view>{}(key), *hash);
    return Status::ok();
}

Status OipDecoder::read_inputs(const Element& inputs) {
    simdjson::dom::array list;
    if (inputs.get(list) != simdjson::SUCCESS) return unable_to_parse({"inputs"}, "a list", inputs);
    if (list.size() > limits_.max_tensors)
        return {Code::LIMIT_EXCEEDED, concat("got ", list.size(), " inputs: at most ", limits_.max_tensors, " are accepted")};
    const auto tensors = arena_.allocate<NamedTensor>(list.size());
    size_t count = 0;
    for (const Element input : list) RANKD_RETURN_IF_ERROR(read_input(input, tensors[count++] = {}));
    request_.inputs = tensors;
    if (!binary_.empty()) return invalid(concat("unexpected additional input data for model '", context_.model, "'"));
    const auto twice = find_duplicate(tensors, &NamedTensor::name, arena_);
    return twice ? invalid(concat("input '", *twice, "' already exists in request")) : Status::ok();
}

Status OipDecoder::read_input(const Element& input, NamedTensor& tensor) {
    std::array<std::optional<Element>, 5> members;
    RANKD_RETURN_IF_ERROR(read_members({"inputs"}, input, {{"name", "datatype", "shape", "data", "parameters"}}, members));
    const auto& [name, datatype, shape, data, parameters] = members;
    if (!name) return invalid("Unable to parse 'inputs': an input has no 'name'");
    RANKD_RETURN_IF_ERROR(read_text("name", *name, tensor.name));
    if (!datatype || !shape)
        return invalid(
            concat("Unable to parse 'inputs': input '", tensor.name, "' has no '", datatype ? "shape" : "datatype", "'"));
    const JsonValue type(*datatype);
    const auto known = type.type() == ValueType::kText ? element_type_from_datatype(type.text()) : std::nullopt;
    if (!known) return unable_to_parse({"datatype", "input", tensor.name}, concat("one of ", datatype_names()), *datatype);
    tensor.type = *known;
    RANKD_RETURN_IF_ERROR(read_shape(*shape, tensor));
    std::array<std::optional<Element>, 2> places;
    if (parameters) {
        RANKD_RETURN_IF_ERROR(read_members({"parameters", "input", tensor.name}, *parameters,
                                           {{"binary_data_size", "shared_memory_region"}}, places));
    }
    return read_input_data({data, places[0], places[1]}, tensor);
}

Status OipDecoder::read_shape(const Element& shape, NamedTensor& tensor) {
    const auto unable = [&](std::string_view expected, const Element& value) {
        return Status(Code::INVALID_SHAPE, concat("Unable to parse 'shape': that of input '", tensor.name, "' must be ", expected,
                                                  ", got ", describe(JsonValue(value))));
    };
    simdjson::dom::array list;
    if (shape.get(list) != simdjson::SUCCESS) return unable("a list of dimensions", shape);
    const auto dimensions = arena_.allocate<int64_t>(JsonValue(shape).size());
    size_t count = 0;
    for (const Element dimension : list) {
        int64_t& size = dimensions[count++];
        if (dimension.get(size) != simdjson::SUCCESS || size < 0) return unable("integers from 0 to 2^63 - 1", dimension);
    }
    tensor.shape = dimensions;
    return Status::ok();
}

Status OipDecoder::read_input_data(const InputParts& parts, NamedTensor& tensor) {
    const int places = parts.data.has_value() + parts.binary_size.has_value() + parts.region.has_value();
    if (places != 1)
        return invalid(
            concat("Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', "
                   "'shared_memory_region' in 'parameters'. Input '",
                   tensor.name, "' sets ", places == 0 ? "none" : "more than one", " of them"));
    if (parts.region)
        return {
            Code::UNSUPPORTED_FEATURE,
            concat("input '", tensor.name, "' is in a shared memory region: this server reads tensors from the request alone")};
    const auto count = element_count(tensor.shape);
    if (!count)
        return invalid(
            concat("the shape of input '", tensor.name, "' causes total element count to exceed maximum size of ", INT64_MAX));
    if (*count > static_cast<uint64_t>(INT64_MAX) / std::max<size_t>(element_bytes(tensor.type), 1))
        return invalid(concat("byte size overflow for input '", tensor.name, "'"));
    if (parts.binary_size) return take_binary(*parts.binary_size, *count, tensor);
    return pack_json_data(document_, *parts.data, *count, arena_, tensor);
}

Status OipDecoder::take_binary(const Element& size, uint64_t count, NamedTensor& tensor) {
    uint64_t bytes = 0;
    RANKD_RETURN_IF_ERROR(read_natural({"binary_data_size", "input", tensor.name}, size, bytes));
    if (bytes > binary_.size())
        return invalid(concat("unexpected size for input '", tensor.name, "', expecting ", bytes - binary_.size(),
                              " additional bytes for model '", context_.model, "'"));
    tensor.data = binary_.first(bytes);
    binary_ = binary_.subspan(bytes);
    if (tensor.type == ElementType::kBytes) {
        const Status status = check_bytes_elements(tensor.data, count);
        return status.is_ok() ? status
                              : status.within(concat("the data of input '", tensor.name, "' for model '", context_.model, "'"));
    }
    const uint64_t expected = count * element_bytes(tensor.type);
    if (bytes == expected) return Status::ok();
    return {Code::SHAPE_MISMATCH, concat("input byte size mismatch for input '", tensor.name, "' for model '", context_.model,
                                         "'. Expected ", expected, ", got ", bytes)};
}

Status OipDecoder::read_outputs(const Element& outputs) {
    simdjson::dom::array list;
    if (outputs.get(list) != simdjson::SUCCESS) return unable_to_parse({"outputs"}, "a list", outputs);
    if (list.size() > limits_.max_tensors)
        return {Code::LIMIT_EXCEEDED, concat("got ", list.size(), " outputs: at most ", limits_.max_tensors, " are accepted")};
    const auto wanted = arena_.allocate<WantedOutput>(list.size());
    size_t count = 0;
    for (const Element output : list) RANKD_RETURN_IF_ERROR(read_output(output, wanted[count++] = {}));
    request_.outputs = wanted;
    const auto twice = find_duplicate(wanted, &WantedOutput::name, arena_);
    return twice ? invalid(concat("output '", *twice, "' already exists in request")) : Status::ok();
}

Status OipDecoder::read_output(const Element& output, WantedOutput& wanted) {
    std::array<std::optional<Element>, 2> members;
    RANKD_RETURN_IF_ERROR(read_members({"outputs"}, output, {{"name", "parameters"}}, members));
    const auto& [name, parameters] = members;
    if (!name) return invalid("Unable to parse 'outputs': an output has no 'name'");
    RANKD_RETURN_IF_ERROR(read_text("name", *name, wanted.name));
    wanted.is_binary = request_.wants_binary;
    return parameters ? read_output_parameters(*parameters, wanted) : Status::ok();
}

Status OipDecoder::read_output_parameters(const Element& parameters, WantedOutput& wanted) {
    const auto of_output = [&](std::string_view name) { return Member{name, "output", wanted.name}; };
    std::array<std::optional<Element>, 3> members;
    RANKD_RETURN_IF_ERROR(
        read_members(of_output("parameters"), parameters, {{"binary_data", "classification", "shared_memory_region"}}, members));
    const auto& [binary_data, classification, region] = members;
    if (region)
        return {Code::UNSUPPORTED_FEATURE,
                concat("output '", wanted.name,
                       "' is wanted in a shared memory region: this server sends tensors in the answer alone")};
    if (binary_data) RANKD_RETURN_IF_ERROR(read_bool(of_output("binary_data"), *binary_data, wanted.is_binary));
    uint64_t classes = 0;
    if (classification) RANKD_RETURN_IF_ERROR(read_natural(of_output("classification"), *classification, classes));
    wanted.classes = static_cast<uint32_t>(std::min<uint64_t>(classes, UINT32_MAX));
    return Status::ok();
}

}  // namespace rankd::wire
