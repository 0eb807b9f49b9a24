#include "wire/body_decoder.h"
#include "wire/json_reader.h"
#include "wire/msgpack_reader.h"
#include "wire/oip_decoder.h"
#include "wire/request.h"

namespace rankd::wire {

struct RequestDecoder::Json {
    explicit Json(const Limits& limits) : parser(limits.max_depth) {}
    JsonParser parser;
    JsonParser oip{kMaxOipDepth};
};

RequestDecoder::RequestDecoder(const Limits& limits) : limits_(limits), json_(new Json(limits)) {}
RequestDecoder::~RequestDecoder() {
    delete json_;
}

size_t Request::candidate_count() const {
    if (operation == Operation::kScore) return row_count;
    switch (candidate_form) {
        case CandidateForm::kIds:
            return candidates.size();
        case CandidateForm::kRows32:
            return candidate_bytes.size() / sizeof(uint32_t);
        case CandidateForm::kIds64:
            return candidate_bytes.size() / sizeof(uint64_t);
    }
    return 0;
}

namespace {

Status decode_msgpack(const Limits& limits, std::span<const uint8_t> body, Arena& arena, Request& request) {
    RANKD_RETURN_IF_ERROR(check_no_record(body, 0));
    Status failure;
    MsgpackReader reader(body, Code::INVALID_BODY, failure);
    MsgpackValue root;
    if (!reader.next(root) || !BodyDecoder<MsgpackValue>(limits, arena, failure, request).decode(root)) return failure;
    if (reader.remaining() > 0) {
        return Status(Code::INVALID_BODY,
                      concat("the body ends at byte ", reader.position(), ", but has ", body.size(), " bytes"));
    }
    return Status::ok();
}

Status decode_json(JsonParser& parser, const Limits& limits, std::span<const uint8_t> body, Arena& arena, Request& request) {
    // `curl -X POST` without data asks for recommendations with every field at its default.
    if (body.empty() && request.operation == Operation::kRecommend) return Status::ok();
    simdjson::dom::element root;
    RANKD_RETURN_IF_ERROR(parse_json(parser, body, root));
    Status failure;
    if (!BodyDecoder<JsonValue>(limits, arena, failure, request).decode(JsonValue(root))) return failure;
    return Status::ok();
}

}  // namespace

Status RequestDecoder::decode(Operation operation, Codec codec, std::span<const uint8_t> body, Arena& arena, Request& request,
                              const OipContext& oip) {
    request = Request{};
    request.operation = operation;
    if (operation == Operation::kEmbed || operation == Operation::kExplain) {
        return Status(Code::UNSUPPORTED_OPERATION,
                      concat(operation_name(operation),
                             " is not served yet: this server answers recommend, rank, similar, score, infer and feedback"));
    }
    if (body.size() > limits_.max_bytes(codec)) {
        return Status(Code::TOO_LARGE,
                      concat("the body has ", body.size(), " bytes: at most ", limits_.max_bytes(codec), " are accepted"));
    }
    if (codec == Codec::kMsgpack) return decode_msgpack(limits_, body, arena, request);
    if (codec == Codec::kJson) return decode_json(json_->parser, limits_, body, arena, request);
    if (operation != Operation::kInfer)
        return Status(Code::UNSUPPORTED_OPERATION, concat("the Open Inference Protocol has no ", operation_name(operation)));
    return OipDecoder(limits_, oip, arena, request).decode(json_->oip, body);
}

}  // namespace rankd::wire
