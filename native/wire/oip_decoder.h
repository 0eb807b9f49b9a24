// Request bodies of the Open Inference Protocol v2 over HTTP: JSON, behind which the inputs' binary data may stand.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/status.h"
#include "wire/oip_json.h"
#include "wire/request.h"

namespace rankd::wire {

/// Decodes one body. Names, ids and JSON data are copied into the arena; binary data stay in the body.
class OipDecoder {
  public:
    OipDecoder(const Limits& limits, const OipContext& context, Arena& arena, Request& request)
        : limits_(limits), context_(context), arena_(arena), request_(request) {}

    /// @param body  kBodyPadding readable bytes follow
    Status decode(JsonParser& parser, std::span<const uint8_t> body);

  private:
    using Element = simdjson::dom::element;
    struct InputParts;

    Status read_request_parameters(const Element& parameters);
    Status read_request_parameter(std::string_view key, const Element& value);
    Status read_inputs(const Element& inputs);
    Status read_input(const Element& input, NamedTensor& tensor);
    Status read_shape(const Element& shape, NamedTensor& tensor);
    Status read_input_data(const InputParts& parts, NamedTensor& tensor);
    Status take_binary(const Element& size, uint64_t count, NamedTensor& tensor);
    Status read_outputs(const Element& outputs);
    Status read_output(const Element& output, WantedOutput& wanted);
    Status read_output_parameters(const Element& parameters, WantedOutput& wanted);
    Status read_text(std::string_view what, const Element& value, std::string_view& text);

    const Limits& limits_;
    const OipContext& context_;
    Arena& arena_;
    Request& request_;
    OipDocument document_;
    std::span<const uint8_t> binary_;  ///< what no input has taken yet
};

}  // namespace rankd::wire
