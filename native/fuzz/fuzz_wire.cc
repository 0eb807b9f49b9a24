// Feeds hostile bytes to the readers of frames and bodies. The first byte picks what they are; accepted requests are answered,
// and the answer's frame must be readable by our own reader.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "wire/envelope.h"
#include "wire/json_fault.h"
#include "wire/msgpack_reader.h"
#include "wire/oip_answer.h"
#include "wire/request.h"
#include "wire/response.h"

using namespace rankd;
using namespace rankd::wire;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

/// Exactly as much memory as the codec may read, so that the address sanitizer sees one byte more.
struct ExactBody {
    ExactBody(Codec codec, std::span<const uint8_t> bytes) : size(bytes.size()) {
        storage = std::make_unique<uint8_t[]>(size + (codec == Codec::kMsgpack ? 0 : kBodyPadding));
        if (size > 0) std::memcpy(storage.get(), bytes.data(), size);
    }
    std::unique_ptr<uint8_t[]> storage;
    size_t size;
};

/// An answer that holds what the request held.
void answer(const Id& request_id, const Request& request, Codec codec) {
    static ByteBuffer out;
    std::vector<ScoredItem> items;
    for (const Id& id : request.candidates) items.push_back({id, 0.5f, "fuzz"});
    for (const Id& id : request.history) items.push_back({id, -1.5f, {}});
    Answer reply;
    reply.request_id = request_id;
    reply.model = request.query;
    reply.items = items;
    reply.scores = request.row_values;
    reply.outputs = request.inputs;
    reply.accepted = static_cast<uint32_t>(request.events.size());
    reply.kind = !request.inputs.empty()      ? AnswerKind::kOutputs
                 : !request.events.empty()    ? AnswerKind::kAccepted
                 : request.row_values.empty() ? AnswerKind::kItems
                                              : AnswerKind::kScores;
    reply.is_streamed = request.stream;
    out.clear();
    encode_answer(codec, Framing::kRpc, reply, out);
    if (codec != Codec::kMsgpack) return;
    Status failure;
    MsgpackReader reader(out.bytes(), Code::INTERNAL, failure);
    require(reader.skip(8) && reader.remaining() == 0);
}

void refuse(const Id& request_id, const Status& status) {
    static ByteBuffer out;
    require(!status.message().empty() && status.code() != Code::INTERNAL);
    for (const Codec codec : {Codec::kMsgpack, Codec::kJson}) {
        out.clear();
        encode_error(codec, Framing::kRpc, request_id, status, out);
    }
}

/// An answer that holds the inputs; where all of it is JSON, our own reader takes it back.
void answer_oip(const Request& request) {
    static ByteBuffer out;
    Answer reply;
    reply.request = &request;
    reply.model = "m";
    reply.version = "1";
    reply.outputs = request.inputs;
    if (!check_oip_outputs(request, reply.outputs).is_ok()) return;
    out.clear();
    const uint32_t json_bytes = encode_oip_answer(reply, out);
    require(json_bytes <= out.size());
    const std::string_view json(reinterpret_cast<const char*>(out.data()), json_bytes == 0 ? out.size() : json_bytes);
    require(!find_json_fault(json, Limits{}.max_depth));
}

void decode_oip(std::span<const uint8_t> body, uint32_t json_bytes) {
    static RequestDecoder decoder{Limits{}};
    static Arena arena;
    static ByteBuffer out;
    arena.reset();
    const std::string_view json = oip_json(body, json_bytes);
    (void)peek_urgency(json);
    Request request;
    const Status status = decoder.decode(Operation::kInfer, Codec::kOip, body, arena, request, {json_bytes, "m"});
    if (status.is_ok()) return answer_oip(request);
    require(!status.message().empty() && status.code() != Code::INTERNAL);
    out.clear();
    encode_oip_error(Id{}, peek_id(json), status, out);
}

void decode(const Id& request_id, Operation operation, Codec codec, std::span<const uint8_t> body) {
    static RequestDecoder decoder{Limits{}};
    static Arena arena;
    arena.reset();
    Request request;
    const Status status = decoder.decode(operation, codec, body, arena, request);
    if (!status.is_ok()) return refuse(request_id, status);
    answer(request_id, request, codec);
}

}  // namespace

/// First byte 0: a whole RPC frame. 255: an OIP body behind the length of its JSON as u16, little-endian. Else bit 0 says JSON,
/// the bits above it the operation.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const uint8_t choice = data[0];
    if (choice == 255) {
        if (size < 3) return 0;
        const ExactBody body(Codec::kOip, {data + 3, size - 3});
        decode_oip({body.storage.get(), body.size}, static_cast<uint32_t>(data[1] | data[2] << 8));
        return 0;
    }
    const Codec codec = choice != 0 && (choice & 1) != 0 ? Codec::kJson : Codec::kMsgpack;
    const ExactBody exact(codec, {data + 1, size - 1});
    const std::span<const uint8_t> bytes(exact.storage.get(), exact.size);
    if (choice != 0) {
        decode(Id{}, static_cast<Operation>(1 + (choice >> 1) % 8), codec, bytes);
        return 0;
    }
    Envelope envelope;
    const Status status = read_envelope(bytes, Limits{}, envelope);
    if (!status.is_ok()) {
        refuse(envelope.request_id, status);
        return 0;
    }
    (void)parse_target(envelope.target);
    decode(envelope.request_id, envelope.operation, Codec::kMsgpack, envelope.body);
    return 0;
}
