// The bodies of design section 7 after decoding: one struct for all operations, views into the frame or the arena.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/status.h"
#include "wire/codec.h"
#include "wire/id.h"
#include "wire/tensor.h"
#include "wire/trace_context.h"

namespace rankd::wire {

struct NamedNumber {
    std::string_view name;
    float value = 0;
};
using FeatureMap = std::span<const NamedNumber>;

/// Keeps items whose `attribute` is one of `any_of`: `{"section": ["libs", "devel"]}` or `{"section": "libs"}`.
struct AttributeFilter {
    std::string_view attribute;
    std::span<const Id> any_of;
};

/// How `rank` received its candidates.
enum class CandidateForm : uint8_t {
    kIds,     ///< a list of ids, or of `{id, features}`
    kRows32,  ///< binary, little-endian u32 rows of the bundle's item table (`id_type: "u32_row"`)
    kIds64,   ///< binary, little-endian u64 ids (`id_type: "u64"`)
};

enum class Order : uint8_t {
    kBest,   ///< best first, cut to k
    kInput,  ///< one score per candidate, in the order given
};

/// One thing that a user did, as `feedback` tells it.
struct FeedbackEvent {
    Id request_id;  ///< of the request whose answer was shown; none when the caller does not know it
    Id user;
    Id item;
    std::string_view name;  ///< `event`: what was done, [a-z0-9_.-]
    std::optional<double> value;
};

/// An output that `infer` asks for.
struct WantedOutput {
    std::string_view name;
    bool is_binary = false;  ///< OIP: the answer carries it behind its JSON
    uint32_t classes = 0;    ///< OIP `classification`: this many best elements as "value:index[:label]" instead of the tensor
};

struct Request {
    Operation operation = Operation::kRecommend;

    // recommend, rank
    Id user;
    bool has_history = false;     ///< an empty history replaces the published one too
    std::span<const Id> history;  ///< oldest first, newest last
    FeatureMap features;          ///< of the user
    FeatureMap context;
    std::span<const Id> exclude;
    std::span<const AttributeFilter> filters;
    std::optional<uint32_t> k;  ///< 1..max_k; the operation's default when absent
    bool explain = false;

    // rank
    std::string_view query;
    CandidateForm candidate_form = CandidateForm::kIds;
    std::span<const Id> candidates;                  ///< form kIds
    std::span<const FeatureMap> candidate_features;  ///< empty, or one map per candidate
    std::span<const uint8_t> candidate_bytes;        ///< forms kRows32, kIds64; not aligned
    Order order = Order::kBest;

    // similar
    Id item;

    // score: either `row_bytes` (row-major float32 little-endian, not aligned) or `row_maps` (by feature name).
    // JSON may also send `rows` as an array of arrays: then `row_values` holds `row_count * row_width` floats.
    std::span<const uint8_t> row_bytes;
    std::span<const FeatureMap> row_maps;
    std::span<const float> row_values;
    uint32_t row_count = 0;  ///< for row_maps and row_values
    uint32_t row_width = 0;  ///< for row_values

    TraceContext trace;  ///< of every operation

    // rank with Order::kInput, score
    bool stream = false;  ///< scores may leave in several frames, as they are ready

    // infer
    std::span<const NamedTensor> inputs;
    std::span<const WantedOutput> outputs;  ///< empty: all of them
    bool wants_binary = false;              ///< OIP `binary_data_output`: outputs that say nothing of their own are binary
    std::span<const uint8_t> raw_input;     ///< OIP body without JSON: the one input's bytes; `inputs` is empty then
    bool has_raw_input = false;
    std::string_view id;  ///< OIP `id`, echoed when it came
    bool has_id = false;
    uint64_t parameters = 0;  ///< hash over what else the caller said in `parameters`: two requests that differ there differ

    // feedback
    std::span<const FeedbackEvent> events;  ///< at least one

    /// Candidates or rows this request carries, in whatever form; 0 for packed rows, whose width only the model knows.
    size_t candidate_count() const;
};

/// What an OIP body cannot say itself.
struct OipContext {
    uint32_t json_bytes = kAllJson;  ///< how much of the body is JSON; 0: none, it is the data of the one input
    std::string_view model;          ///< for messages
};

/// Decodes one body; strings of JSON are copied into `arena`, msgpack strings stay in `body`.
/// Not thread-safe (it keeps the JSON parser's buffers): one decoder per executor.
class RequestDecoder {
  public:
    explicit RequestDecoder(const Limits& limits);
    ~RequestDecoder();
    RequestDecoder(const RequestDecoder&) = delete;
    RequestDecoder& operator=(const RequestDecoder&) = delete;

    /// @param body  for kJson and kOip at least `kBodyPadding` readable bytes must follow its end
    /// @param oip   for kOip
    /// @return INVALID_BODY (not well-formed), INVALID_ARGUMENT (a field's name, type or value), UNSUPPORTED_EXTENSION
    ///         (msgpackr records and typed arrays), LIMIT_EXCEEDED, NOT_FINITE, SHAPE_MISMATCH; of kOip also INVALID_SHAPE,
    ///         UNSUPPORTED_FEATURE (shared memory)
    Status decode(Operation operation, Codec codec, std::span<const uint8_t> body, Arena& arena, Request& request,
                  const OipContext& oip = {});

  private:
    struct Json;
    Limits limits_;
    Json* json_;
};

/// Readable bytes behind a body that the JSON parser may touch.
constexpr size_t kBodyPadding = 64;

}  // namespace rankd::wire
