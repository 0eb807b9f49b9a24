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

/// An output that `infer` asks for.
struct WantedOutput {
    std::string_view name;
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

    // infer
    std::span<const NamedTensor> inputs;
    std::span<const WantedOutput> outputs;  ///< empty: all of them

    /// Candidates or rows this request carries, in whatever form; 0 for packed rows, whose width only the model knows.
    size_t candidate_count() const;
};

/// Decodes one body; strings of JSON are copied into `arena`, msgpack strings stay in `body`.
/// Not thread-safe (it keeps the JSON parser's buffers): one decoder per executor.
class RequestDecoder {
  public:
    explicit RequestDecoder(const Limits& limits);
    ~RequestDecoder();
    RequestDecoder(const RequestDecoder&) = delete;
    RequestDecoder& operator=(const RequestDecoder&) = delete;

    /// @param body  for kJson at least `kBodyPadding` readable bytes must follow its end
    /// @return INVALID_BODY (not well-formed), INVALID_ARGUMENT (a field's name, type or value), UNSUPPORTED_EXTENSION
    ///         (msgpackr records and typed arrays), LIMIT_EXCEEDED, NOT_FINITE, SHAPE_MISMATCH
    Status decode(Operation operation, Codec codec, std::span<const uint8_t> body, Arena& arena, Request& request);

  private:
    struct Json;
    Limits limits_;
    Json* json_;
};

/// Readable bytes behind a body that the JSON parser may touch.
constexpr size_t kBodyPadding = 64;

}  // namespace rankd::wire
