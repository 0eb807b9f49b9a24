// Answers of the Open Inference Protocol v2 over HTTP: JSON, and behind it the outputs that were asked for as bytes.
#pragma once

#include <cstdint>

#include "base/byte_buffer.h"
#include "base/status.h"
#include "wire/oip_head.h"
#include "wire/response.h"

namespace rankd::wire {

/// INVALID_ARGUMENT when an output is to stand in JSON that JSON cannot carry: 16-bit floats, BYTES that are not UTF-8.
Status check_oip_outputs(const Request& request, std::span<const NamedTensor> outputs);

/// Appends {id?, model_name, model_version, outputs: [{name, datatype, shape, data | parameters: {binary_data_size}}]} and the
/// binary data in the order of the outputs. NaN and Infinity stand bare in `data`, as the protocol's clients read them.
/// @param answer  `request` is set; `outputs` has passed `check_oip_outputs`
/// @return bytes of the JSON when any follow it, else 0
uint32_t encode_oip_answer(const Answer& answer, ByteBuffer& out);

/// Appends {error, code, request_id, retry_after_ms?}; the text begins with the caller's own id.
void encode_oip_error(const Id& request_id, const std::optional<std::string>& id, const Status& status, ByteBuffer& out);

}  // namespace rankd::wire
