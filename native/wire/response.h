// Answers before encoding, and the one place that writes them in each codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/status.h"
#include "wire/codec.h"
#include "wire/id.h"
#include "wire/tensor.h"

namespace rankd::wire {

struct Request;

/// The closed list of words an answer may carry in `degraded`; bit i is word i.
enum class Degraded : uint16_t {
    kUnknownUser = 1 << 0,     ///< "unknown_user": the user is not in the bundle; the unknown-user row served
    kUnknownItems = 1 << 1,    ///< "unknown_items": ids of history or candidates were dropped; of feedback: logged all the same
    kNoHistory = 1 << 2,       ///< "no_history": nothing to personalise with
    kFallback = 1 << 3,        ///< "fallback": part of the answer comes from the fallback source
    kShortCatalogue = 1 << 4,  ///< "short_catalogue": fewer than k items exist after the caller's own rules
    kSeenRelaxed = 1 << 5,     ///< "seen_filter_relaxed": already seen items fill the answer
    kModelFailed = 1 << 6,     ///< "model_failed": the ranking graph failed; retrieval order served
};
using DegradedSet = uint16_t;
constexpr DegradedSet operator|(Degraded a, Degraded b) {
    return static_cast<DegradedSet>(a) | static_cast<DegradedSet>(b);
}
constexpr void add(DegradedSet& set, Degraded word) {
    set |= static_cast<DegradedSet>(word);
}

constexpr size_t kDegradedWords = 7;
/// The word of bit `bit`, counted from 0.
std::string_view degraded_word(size_t bit);

struct ScoredItem {
    Id id;
    float score = 0;
    std::string_view source;  ///< name of the retrieval source; empty for `rank`
};

struct Timing {
    uint32_t queue_us = 0;
    uint32_t compute_us = 0;
    uint32_t total_us = 0;
};

/// What an answer carries: `items`; or `scores` and perhaps `decisions`; or `outputs`; or `accepted`.
enum class AnswerKind : uint8_t { kItems, kScores, kOutputs, kAccepted };

/// One successful answer.
struct Answer {
    Id request_id;
    std::string_view model;
    std::string_view version;
    DegradedSet degraded = 0;
    AnswerKind kind = AnswerKind::kItems;
    std::span<const ScoredItem> items;
    std::span<const float> scores;                ///< NaN = unknown candidate: nil/null in JSON, NaN bytes in msgpack
    std::span<const std::string_view> decisions;  ///< empty, or one per score
    std::span<const NamedTensor> outputs;
    uint32_t accepted = 0;             ///< events of `feedback`
    const Request* request = nullptr;  ///< OIP: what was asked decides the form of the outputs
    Timing timing;

    // A frame of a stream: `scores` and `decisions` are those of this part.
    bool is_streamed = false;
    uint32_t seq = 0;     ///< frames of this answer before this one
    bool last = true;     ///< no frame follows
    uint32_t offset = 0;  ///< index of the frame's first score among all of the request
};

/// Where an encoded answer goes: RPC wraps it as `[1, id, code, seq, last, body]`, HTTP sends the body alone.
enum class Framing : uint8_t { kRpc, kBody };

/// msgpack: {request_id, model, version, degraded: [..], items: [{id, score, source?}] | offset?: n (streamed), scores: bin f32
/// LE, decisions?: [..] | outputs: [{name, datatype, shape, data: bin}] | accepted: n, timing: {queue, compute, total}}; JSON the
/// same with `scores` and `data` as arrays of numbers, null for what is not finite, and of texts for BYTES. Those of OIP:
/// `oip_answer.h`.
void encode_answer(Codec codec, Framing framing, const Answer& answer, ByteBuffer& out);

/// {"error": text, "code": NAME, "request_id": id, "retry_after_ms"?: n}, framed with the code's number for RPC. An error is the
/// last frame of its answer.
/// @param seq  frames of a stream that went before it
void encode_error(Codec codec, Framing framing, const Id& request_id, const Status& status, ByteBuffer& out, uint32_t seq = 0);

}  // namespace rankd::wire
