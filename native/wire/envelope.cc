#include "wire/envelope.h"

#include <algorithm>
#include <string>

#include "wire/describe.h"
#include "wire/msgpack_reader.h"

namespace rankd::wire {
namespace {

constexpr size_t kElements = 8;
constexpr size_t kMaxRequestIdBytes = 128;
constexpr size_t kMaxTargetBytes = 256;
constexpr uint64_t kLowestPriority = 9;

Status invalid(std::string message) {
    return Status(Code::INVALID_FRAME, std::move(message));
}

std::string must_be(std::string_view element, std::string_view expected, const MsgpackValue& value) {
    return concat(element, " must be ", expected, ", got ", describe(value));
}

/// The first three elements as they came, judged only when all of them were read.
struct Head {
    MsgpackValue array, version, operation, id;
    bool complete = false;
};

/// Version, operation and id keep their place in every version of the format: this much can be read of any frame.
void read_head(MsgpackReader& reader, Head& head) {
    const auto next_scalar = [&](MsgpackValue& value) {
        return reader.next(value) && value.type() != ValueType::kList && value.type() != ValueType::kMap;
    };
    head.complete = reader.next(head.array) && head.array.type() == ValueType::kList && head.array.size() >= 3 &&
                    next_scalar(head.version) && next_scalar(head.operation) && next_scalar(head.id);
}

Status check_version(const Head& head) {
    const auto version = unsigned_integer(head.version);
    if (!version) return invalid(must_be("the frame's version (element 1)", "an integer", head.version));
    if (*version == kFrameVersion) return Status::ok();
    return invalid(concat("frame version ", *version, " is not spoken here: this server speaks version ", kFrameVersion));
}

Status read_operation(const MsgpackValue& value, Operation& operation) {
    constexpr std::string_view kList = "1 recommend, 2 rank, 3 similar, 4 score, 5 infer, 6 embed, 7 explain or 8 feedback";
    const auto number = unsigned_integer(value);
    if (!number) return invalid(must_be("the operation (element 2)", kList, value));
    const auto known = operation_from_number(*number);
    if (!known) return Status(Code::UNKNOWN_OPERATION, concat("unknown operation ", *number, ": expected ", kList));
    operation = *known;
    return Status::ok();
}

Status read_request_id(const MsgpackValue& value, Id& id) {
    if (value.type() == ValueType::kNil) return Status::ok();
    if (value.type() == ValueType::kText && value.size() <= kMaxRequestIdBytes) {
        id = Id::of(value.text());
        return Status::ok();
    }
    if (const auto integer = unsigned_integer(value)) {
        id = Id::of(*integer);
        return Status::ok();
    }
    return invalid(must_be("the request id (element 3)",
                           concat("nil, an integer from 0 or text up to ", kMaxRequestIdBytes, " bytes"), value));
}

/// An integer of `deadline_ms`, `priority` or `rows`; nil leaves the default.
template <typename T>
Status read_hint(MsgpackReader& reader, Status& failure, std::string_view element, uint64_t largest, T& hint) {
    MsgpackValue value;
    if (!reader.next(value)) return failure;
    if (value.type() == ValueType::kNil) return Status::ok();
    const auto number = unsigned_integer(value);
    if (!number || *number > largest) return invalid(must_be(element, concat("nil or an integer from 0 to ", largest), value));
    hint = static_cast<T>(*number);
    return Status::ok();
}

Status read_target(MsgpackReader& reader, Status& failure, std::string_view& target) {
    MsgpackValue value;
    if (!reader.next(value)) return failure;
    if (value.type() != ValueType::kText || value.size() > kMaxTargetBytes) {
        return invalid(must_be("the target (element 4)",
                               concat("text up to ", kMaxTargetBytes, " bytes: name, name@alias or name@version"), value));
    }
    target = value.text();
    return Status::ok();
}

Status read_body(MsgpackReader& reader, Status& failure, std::span<const uint8_t> frame, const Limits& limits,
                 std::span<const uint8_t>& body) {
    const size_t start = reader.position();
    if (!reader.skip(limits.max_depth)) return failure;
    if (reader.remaining() > 0) {
        RANKD_RETURN_IF_ERROR(check_no_record(frame, start));
        return invalid(
            concat("the frame must end with its body, at byte ", reader.position(), ", but has ", frame.size(), " bytes"));
    }
    body = frame.subspan(start);
    return Status::ok();
}

}  // namespace

Status read_envelope(std::span<const uint8_t> frame, const Limits& limits, Envelope& envelope) {
    envelope = Envelope{};
    if (frame.empty()) return invalid("the frame is empty: expected an array of 8 elements");
    Status failure;
    MsgpackReader reader(frame, Code::INVALID_FRAME, failure);
    Head head;
    read_head(reader, head);
    const Status id_status = head.complete ? read_request_id(head.id, envelope.request_id) : Status::ok();

    if (frame.size() > limits.max_frame_bytes) {
        return Status(Code::TOO_LARGE,
                      concat("the frame has ", frame.size(), " bytes: at most ", limits.max_frame_bytes, " are accepted"));
    }
    if (!failure.is_ok()) return failure;
    if (head.array.type() != ValueType::kList)
        return invalid(concat("expected an array of 8 elements, got ", describe(head.array)));
    if (!head.complete && head.array.size() == kElements) {
        return invalid(
            "the first three elements of a frame are a version, an operation and an id: none of them is a list or a map");
    }
    if (head.complete) RANKD_RETURN_IF_ERROR(check_version(head));
    if (head.array.size() != kElements) return invalid(concat("expected an array of 8 elements, got one of ", head.array.size()));
    RANKD_RETURN_IF_ERROR(read_operation(head.operation, envelope.operation));
    RANKD_RETURN_IF_ERROR(id_status);
    RANKD_RETURN_IF_ERROR(read_target(reader, failure, envelope.target));
    RANKD_RETURN_IF_ERROR(read_hint(reader, failure, "deadline_ms (element 5)", UINT32_MAX, envelope.deadline_ms));
    RANKD_RETURN_IF_ERROR(read_hint(reader, failure, "priority (element 6)", kLowestPriority, envelope.priority));
    RANKD_RETURN_IF_ERROR(read_hint(reader, failure, "rows (element 7)", UINT32_MAX, envelope.rows));
    return read_body(reader, failure, frame, limits, envelope.body);
}

Result<Target> parse_target(std::string_view target) {
    const size_t at = target.find('@');
    const Target parts = at == std::string_view::npos ? Target{target, {}} : Target{target.substr(0, at), target.substr(at + 1)};
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    const bool selector_missing = at != std::string_view::npos && parts.selector.empty();
    if (parts.name.empty() || selector_missing || !std::all_of(parts.name.begin(), parts.name.end(), is_plain) ||
        !std::all_of(parts.selector.begin(), parts.selector.end(), is_plain)) {
        return Status(
            Code::INVALID_ARGUMENT,
            concat("the target must be name, name@alias or name@version (letters, digits, '.', '_', '-'), got ", quoted(target)));
    }
    return parts;
}

}  // namespace rankd::wire
