// The elements of a tensor that stand in JSON, packed as its type.
#pragma once

#include "base/arena.h"
#include "base/status.h"
#include "wire/oip_json.h"
#include "wire/tensor.h"

namespace rankd::wire {

/// Packs `data`, a list that is flat or nested in any way, row-major, into `tensor.data`.
/// @param tensor  name, type and shape, whose elements are `count`
/// @return INVALID_ARGUMENT (an element that the type does not hold, FP16 and BF16), SHAPE_MISMATCH, LIMIT_EXCEEDED (nesting)
Status pack_json_data(const OipDocument& document, const simdjson::dom::element& data, uint64_t count, Arena& arena,
                      NamedTensor& tensor);

}  // namespace rankd::wire
