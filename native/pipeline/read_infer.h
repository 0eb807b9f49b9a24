// Reads the `infer` section of a manifest.
#pragma once

#include "pipeline/infer_spec.h"
#include "pipeline/json_fields.h"

namespace rankd::pipeline {

/// @return BUNDLE_INVALID naming the key and what was expected of it
Result<InferSpec> read_infer(const simdjson::dom::element& value, const std::string& where);

}  // namespace rankd::pipeline
