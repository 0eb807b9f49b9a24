// The JSON of Open Inference Protocol bodies. Many writers put NaN and Infinity into it, which JSON does not have.
#pragma once

#include <string_view>

#include "base/status.h"
#include "wire/codec.h"
#include "wire/json_reader.h"

namespace rankd::wire {

/// Lists that the data of a tensor may nest.
constexpr uint32_t kMaxDataDepth = 100;
/// Of a whole body: around the data stand the body, its inputs and one of them; inside them may be a map that stands for a word.
constexpr uint32_t kMaxOipDepth = kMaxDataDepth + 4;

/// A document in which the bare words may stand, see `word_of`.
struct OipDocument {
    simdjson::dom::element root;
    size_t bytes = 0;  ///< of the text, which has fewer elements
    bool has_words = false;
};

/// Parses `text`, behind which `kBodyPadding` bytes are readable, with a parser of kMaxOipDepth. A text that is no JSON for its
/// NaN, Infinity or -Infinity alone is read once more from a copy.
/// @return INVALID_BODY or LIMIT_EXCEEDED (depth), saying where
Status parse_oip_json(JsonParser& parser, std::span<const uint8_t> text, OipDocument& document);

/// The number that a bare word stands for, in a document that has such words. @return whether the element is one
bool word_of(const simdjson::dom::element& element, double& number);

}  // namespace rankd::wire
