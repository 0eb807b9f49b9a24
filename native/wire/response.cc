#include "wire/response.h"

#include <array>
#include <bit>

#include "wire/envelope.h"
#include "wire/json_writer.h"
#include "wire/msgpack_writer.h"
#include "wire/tensor_writer.h"

namespace rankd::wire {
namespace {

constexpr std::array<std::string_view, kDegradedWords> kWords = {
    "unknown_user", "unknown_items", "no_history", "fallback", "short_catalogue", "seen_filter_relaxed", "model_failed"};

template <typename Writer>
void write_id(Writer& writer, const Id& id) {
    switch (id.kind) {
        case Id::Kind::kNone:
            return writer.nil();
        case Id::Kind::kInteger:
            return writer.integer(id.integer);
        case Id::Kind::kText:
            return writer.text(id.text);
    }
}

template <typename Writer>
void write_degraded(Writer& writer, DegradedSet set) {
    constexpr DegradedSet kKnown = (1 << kDegradedWords) - 1;
    set &= kKnown;
    writer.key("degraded");
    writer.begin_list(static_cast<size_t>(std::popcount(set)));
    for (size_t bit = 0; bit < kDegradedWords; ++bit) {
        if ((set >> bit & 1) != 0) writer.text(kWords[bit]);
    }
    writer.end_list();
}

template <typename Writer>
void write_items(Writer& writer, std::span<const ScoredItem> items) {
    writer.key("items");
    writer.begin_list(items.size());
    for (const ScoredItem& item : items) {
        writer.begin_map(item.source.empty() ? 2 : 3);
        writer.key("id");
        write_id(writer, item.id);
        writer.key("score");
        writer.number(item.score);
        if (!item.source.empty()) {
            writer.key("source");
            writer.text(item.source);
        }
        writer.end_map();
    }
    writer.end_list();
}

template <typename Writer>
void write_scores(Writer& writer, const Answer& answer) {
    if (answer.is_streamed) {
        writer.key("offset");
        writer.integer(answer.offset);
    }
    writer.key("scores");
    writer.numbers(answer.scores);
    if (answer.decisions.empty()) return;
    writer.key("decisions");
    writer.begin_list(answer.decisions.size());
    for (const std::string_view decision : answer.decisions) writer.text(decision);
    writer.end_list();
}

template <typename Writer>
void write_timing(Writer& writer, const Timing& timing) {
    writer.key("timing");
    writer.begin_map(3);
    writer.key("queue");
    writer.integer(timing.queue_us);
    writer.key("compute");
    writer.integer(timing.compute_us);
    writer.key("total");
    writer.integer(timing.total_us);
    writer.end_map();
}

size_t field_count(const Answer& answer) {
    if (answer.kind != AnswerKind::kScores) return 6;
    return 6 + static_cast<size_t>(answer.is_streamed) + static_cast<size_t>(!answer.decisions.empty());
}

template <typename Writer>
void write_answer(Writer& writer, const Answer& answer) {
    writer.begin_map(field_count(answer));
    writer.key("request_id");
    write_id(writer, answer.request_id);
    writer.key("model");
    writer.text(answer.model);
    writer.key("version");
    writer.text(answer.version);
    write_degraded(writer, answer.degraded);
    switch (answer.kind) {
        case AnswerKind::kItems:
            write_items(writer, answer.items);
            break;
        case AnswerKind::kScores:
            write_scores(writer, answer);
            break;
        case AnswerKind::kOutputs:
            writer.key("outputs");
            write_tensors(writer, answer.outputs);
            break;
        case AnswerKind::kAccepted:
            writer.key("accepted");
            writer.integer(answer.accepted);
            break;
    }
    write_timing(writer, answer.timing);
    writer.end_map();
}

template <typename Writer>
void write_error(Writer& writer, const Id& request_id, const Status& status) {
    writer.begin_map(status.retry_after_ms() > 0 ? 4 : 3);
    writer.key("error");
    writer.prose(status.message());
    writer.key("code");
    writer.text(code_name(status.code()));
    writer.key("request_id");
    write_id(writer, request_id);
    if (status.retry_after_ms() > 0) {
        writer.key("retry_after_ms");
        writer.integer(status.retry_after_ms());
    }
    writer.end_map();
}

/// What an RPC frame says before its body.
struct FrameHead {
    const Id& request_id;
    Code code;
    uint32_t seq;
    bool last;
};

/// `[1, id, code, seq, last, body]` around the body for RPC.
template <typename Writer, typename WriteBody>
void write_framed(Framing framing, const FrameHead& head, ByteBuffer& out, WriteBody&& write_body) {
    Writer writer(out);
    if (framing == Framing::kBody) return write_body(writer);
    writer.begin_list(6);
    writer.integer(kFrameVersion);
    write_id(writer, head.request_id);
    writer.integer(static_cast<uint64_t>(head.code));
    writer.integer(head.seq);
    writer.boolean(head.last);
    write_body(writer);
    writer.end_list();
}

template <typename WriteBody>
void encode(Codec codec, Framing framing, const FrameHead& head, ByteBuffer& out, WriteBody&& write_body) {
    if (codec == Codec::kMsgpack) return write_framed<MsgpackWriter>(framing, head, out, write_body);
    write_framed<JsonWriter>(framing, head, out, write_body);
}

}  // namespace

std::string_view degraded_word(size_t bit) {
    return kWords[bit];
}

void encode_answer(Codec codec, Framing framing, const Answer& answer, ByteBuffer& out) {
    const FrameHead head{answer.request_id, Code::OK, answer.seq, answer.last};
    encode(codec, framing, head, out, [&](auto& writer) { write_answer(writer, answer); });
}

void encode_error(Codec codec, Framing framing, const Id& request_id, const Status& status, ByteBuffer& out, uint32_t seq) {
    const FrameHead head{request_id, status.code(), seq, true};
    encode(codec, framing, head, out, [&](auto& writer) { write_error(writer, request_id, status); });
}

}  // namespace rankd::wire
