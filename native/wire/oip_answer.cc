#include "wire/oip_answer.h"

#include "base/utf8.h"
#include "wire/bytes_tensor.h"
#include "wire/describe.h"
#include "wire/request.h"
#include "wire/tensor_writer.h"

namespace rankd::wire {
namespace {

/// Outputs stand in the order they were asked for, or there was no word about each.
bool is_binary(const Request& request, size_t output) {
    return output < request.outputs.size() ? request.outputs[output].is_binary : request.wants_binary;
}

bool is_text(std::span<const uint8_t> elements) {
    return for_each_bytes_element(elements, [](std::string_view element) { return is_utf8(element); }) == elements.size();
}

Status only_binary(const NamedTensor& output, std::string_view why) {
    return {Code::INVALID_ARGUMENT, concat("sending ", datatype_name(output.type), " output '", output.name,
                                           "' via JSON is not supported", why, ". Please use the binary data format")};
}

void write_binary_size(JsonWriter& writer, const NamedTensor& tensor) {
    writer.key("parameters");
    writer.begin_map(1);
    writer.key("binary_data_size");
    writer.integer(tensor.data.size());
    writer.end_map();
}

void write_output(JsonWriter& writer, const NamedTensor& tensor, bool as_binary) {
    writer.begin_map(4);
    write_tensor_head(writer, tensor);
    if (as_binary) {
        write_binary_size(writer, tensor);
    } else {
        writer.key("data");
        write_tensor_data(writer, tensor);
    }
    writer.end_map();
}

void write_json(const Answer& answer, ByteBuffer& out) {
    const Request& request = *answer.request;
    JsonWriter writer(out, JsonWriter::NotFinite::kWord);
    writer.begin_map(4);
    if (request.has_id) {
        writer.key("id");
        writer.text(request.id);
    }
    writer.key("model_name");
    writer.text(answer.model);
    writer.key("model_version");
    writer.text(answer.version);
    writer.key("outputs");
    writer.begin_list(answer.outputs.size());
    for (size_t i = 0; i < answer.outputs.size(); ++i) write_output(writer, answer.outputs[i], is_binary(request, i));
    writer.end_list();
    writer.end_map();
}

/// What the protocol's users know such an error by.
std::string_view known_words(Code code) {
    return code == Code::DEADLINE_EXCEEDED ? "Request timeout expired: " : "";
}

}  // namespace

Status check_oip_outputs(const Request& request, std::span<const NamedTensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
        const NamedTensor& output = outputs[i];
        if (is_binary(request, i)) continue;
        if (output.type == ElementType::kF16 || output.type == ElementType::kBf16) return only_binary(output, "");
        if (output.type == ElementType::kBytes && !is_text(output.data)) return only_binary(output, " where it is not UTF-8");
    }
    return Status::ok();
}

uint32_t encode_oip_answer(const Answer& answer, ByteBuffer& out) {
    const size_t start = out.size();
    write_json(answer, out);
    const size_t end_of_json = out.size();
    for (size_t i = 0; i < answer.outputs.size(); ++i) {
        const std::span<const uint8_t> data = answer.outputs[i].data;
        if (is_binary(*answer.request, i) && !data.empty()) out.append(data.data(), data.size());
    }
    return out.size() > end_of_json ? static_cast<uint32_t>(end_of_json - start) : 0;
}

void encode_oip_error(const Id& request_id, const std::optional<std::string>& id, const Status& status, ByteBuffer& out) {
    const std::string message =
        concat("[request id: ", id ? std::string_view(*id) : "<id_unknown>", "] ", known_words(status.code()), status.message());
    encode_error(Codec::kJson, Framing::kBody, request_id, Status(status).with_message(message), out);
}

}  // namespace rankd::wire
