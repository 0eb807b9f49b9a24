// The forms a request body may have, and the operations it may ask for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rankd::wire {

/// How a body is written. kOip is the body of an Open Inference Protocol v2 call over HTTP: JSON, behind which binary tensors may
/// stand.
enum class Codec : uint8_t { kMsgpack = 0, kJson = 1, kOip = 2 };
constexpr size_t kCodecs = 3;

/// `json_bytes` of a body that is JSON to its end.
constexpr uint32_t kAllJson = UINT32_MAX;

/// Numbers go on the wire (second element of a request frame).
enum class Operation : uint8_t {
    kRecommend = 1,
    kRank = 2,
    kSimilar = 3,
    kScore = 4,
    kInfer = 5,
    kEmbed = 6,
    kExplain = 7,
    kFeedback = 8,
};

/// Whether candidates or rows travel in the body, so that the work grows with it.
constexpr bool carries_rows(Operation operation) {
    return operation == Operation::kRank || operation == Operation::kScore || operation == Operation::kInfer;
}

std::string_view operation_name(Operation operation);
std::optional<Operation> operation_from_number(uint64_t number);
std::optional<Operation> operation_from_name(std::string_view name);

/// What a reader accepts before it says LIMIT_EXCEEDED or TOO_LARGE. Frames are hostile until read.
struct Limits {
    uint32_t max_frame_bytes = 8u << 20;  ///< whole frame or HTTP body
    uint32_t max_oip_bytes = 64u << 20;   ///< body of the Open Inference Protocol, whose tensors may be pictures
    uint32_t max_depth = 16;              ///< nesting of maps and arrays
    uint32_t max_string_bytes = 4096;     ///< any text in a body
    uint32_t max_id_bytes = 256;          ///< a string id
    uint32_t max_candidates = 20'000;     ///< `candidates`
    uint32_t max_history = 10'000;        ///< `history`
    uint32_t max_exclude = 20'000;        ///< `exclude`
    uint32_t max_features = 4'096;        ///< names in one `features` or `context` map
    uint32_t max_rows = 65'536;           ///< rows of `score`
    uint32_t max_k = 10'000;              ///< `k`
    uint32_t max_tensors = 256;           ///< `inputs` and `outputs` of `infer`
    uint32_t max_rank = 8;                ///< dimensions of a tensor
    uint32_t max_events = 1'000;          ///< `events` of `feedback`
    uint32_t max_event_bytes = 64;        ///< the name of an event

    constexpr uint32_t max_bytes(Codec codec) const { return codec == Codec::kOip ? max_oip_bytes : max_frame_bytes; }
};

}  // namespace rankd::wire
