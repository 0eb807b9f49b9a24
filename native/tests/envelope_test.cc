// The envelope of request frames: what is read, what is refused, and that every refusal still knows the id.
#include "wire/envelope.h"

#include "tests/test.h"
#include "tests/wire_support.h"

namespace rankd::wire {
namespace {

using test::Bytes;
using test::from_hex;
using test::pack;

/// `[1, 1, 7, "packages", nil, nil, nil, {}]` with chosen elements replaced.
Bytes frame_with(std::string_view version, std::string_view op, std::string_view id, std::string_view rest) {
    return from_hex(test::concat_hex({"98", version, op, id, rest}));
}

constexpr std::string_view kRest = "a8 7061636b61676573 c0 c0 c0 80";

Status read(const Bytes& frame, Envelope& envelope, const Limits& limits = {}) {
    return read_envelope(frame, limits, envelope);
}

TEST("an envelope is read in full") {
    const Bytes frame = pack([](MsgpackWriter& w) {
        w.begin_list(8);
        w.integer(1), w.integer(2), w.text("req-1"), w.text("packages@champion"), w.integer(25), w.integer(1), w.integer(200);
        w.begin_map(1), w.key("k"), w.integer(5);
    });
    Envelope envelope;
    CHECK_OK(read(frame, envelope));
    CHECK(envelope.operation == Operation::kRank);
    CHECK(envelope.request_id == Id::of("req-1"));
    CHECK_EQ(envelope.target, "packages@champion");
    CHECK_EQ(envelope.deadline_ms, 25u);
    CHECK_EQ(int{envelope.priority}, 1);
    CHECK_EQ(envelope.rows, 200u);
    CHECK(Bytes(envelope.body.begin(), envelope.body.end()) == from_hex("81 a1 6b 05"));
}

TEST("nil leaves deadline, priority and rows at their defaults") {
    Envelope envelope;
    CHECK_OK(read(frame_with("01", "01", "c0", kRest), envelope));
    CHECK(envelope.request_id.is_none());
    CHECK_EQ(envelope.deadline_ms, 0u);
    CHECK_EQ(envelope.rows, 0u);
}

TEST("an id is text or an integer, also one that msgpackr wrote as a float") {
    Envelope envelope;
    CHECK_OK(read(frame_with("01", "01", "cb 4200000000000000", kRest), envelope));
    CHECK(envelope.request_id == Id::of(uint64_t{1} << 33));
    CHECK_OK(read(frame_with("01", "01", "d3 0000000000000005", kRest), envelope));
    CHECK(envelope.request_id == Id::of(uint64_t{5}));
    CHECK_OK(read(frame_with("01", "01", "cf ffffffffffffffff", kRest), envelope));
    CHECK(envelope.request_id == Id::of(UINT64_MAX));
    CHECK_FAILS(read(frame_with("01", "01", "ff", kRest), envelope), Code::INVALID_FRAME, "got -1 (integer)");
    CHECK_FAILS(read(frame_with("01", "01", "cb 3fe0000000000000", kRest), envelope), Code::INVALID_FRAME, "got 0.5 (number)");
    CHECK_FAILS(read(frame_with("01", "01", "c3", kRest), envelope), Code::INVALID_FRAME, "got true (boolean)");
}

TEST("an error of a later element, or of version and operation before it, still echoes the id") {
    Envelope envelope;
    for (const Bytes& frame : {frame_with("02", "01", "07", kRest), frame_with("01", "63", "07", kRest),
                               frame_with("01", "01", "07", "05 c0 c0 c0 80"), frame_with("01", "01", "07", "a170 c0 0a c0 80"),
                               frame_with("01", "01", "07", "a170 c0 c0 c0 81 a1"), from_hex("97 01 01 07 a170 c0 c0 c0")}) {
        CHECK(!read(frame, envelope).is_ok());
        CHECK(envelope.request_id == Id::of(uint64_t{7}));
    }
}

TEST("a frame that is too large says so and knows its id") {
    Envelope envelope;
    Limits limits;
    limits.max_frame_bytes = 12;
    CHECK_FAILS(read(frame_with("01", "01", "07", kRest), envelope, limits), Code::TOO_LARGE, "at most 12");
    CHECK(envelope.request_id == Id::of(uint64_t{7}));
}

TEST("errors say what was expected and what came") {
    Envelope envelope;
    CHECK_FAILS(read({}, envelope), Code::INVALID_FRAME, "empty");
    CHECK_FAILS(read(from_hex("80"), envelope), Code::INVALID_FRAME, "expected an array of 8 elements, got a map of 0");
    CHECK_FAILS(read(from_hex("93 01 01 07"), envelope), Code::INVALID_FRAME, "got one of 3");
    CHECK_FAILS(read(from_hex("98 01 01 90 c0 c0 c0 c0 c0"), envelope), Code::INVALID_FRAME, "none of them is a list or a map");
    CHECK_FAILS(read(frame_with("02", "01", "07", kRest), envelope), Code::INVALID_FRAME,
                "frame version 2 is not spoken here: this server speaks version 1");
    CHECK_FAILS(read(frame_with("01", "63", "07", kRest), envelope), Code::UNKNOWN_OPERATION,
                "unknown operation 99: expected 1 recommend");
    CHECK_FAILS(read(frame_with("01", "a172", "07", kRest), envelope), Code::INVALID_FRAME, "got \"r\" (text)");
    CHECK_FAILS(read(frame_with("01", "01", "07", "c0 c0 c0 c0 80"), envelope), Code::INVALID_FRAME,
                "target (element 4) must be text");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 ff c0 c0 80"), envelope), Code::INVALID_FRAME, "deadline_ms (element 5)");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 0a c0 80"), envelope), Code::INVALID_FRAME, "from 0 to 9, got 10");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 a0 80"), envelope), Code::INVALID_FRAME, "rows (element 7)");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 80 00"), envelope), Code::INVALID_FRAME,
                "must end with its body, at byte 10, but has 11 bytes");
}

TEST("hostile counts, truncation and unknown types are refused before anything is allocated") {
    Envelope envelope;
    CHECK_FAILS(read(from_hex("dd ffffffff 01"), envelope), Code::INVALID_FRAME, "cannot fit in the 1 bytes left");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 df ffffffff"), envelope), Code::INVALID_FRAME,
                "a map of 4294967295");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 c6 ffffffff"), envelope), Code::INVALID_FRAME,
                "4294967295 bytes expected");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 c1"), envelope), Code::INVALID_FRAME, "0xc1 at byte 9");
}

TEST("a truncated frame never passes") {
    const Bytes whole = frame_with("01", "01", "07", "a8 7061636b61676573 ce 00000019 00 cd 00c8 82 a1 6b 05 a4 75736572 a1 75");
    Envelope envelope;
    CHECK_OK(read(whole, envelope));
    for (size_t length = 0; length < whole.size(); ++length) {
        const auto exact = std::make_unique<uint8_t[]>(length);
        std::copy_n(whole.begin(), length, exact.get());
        CHECK(!read_envelope({exact.get(), length}, Limits{}, envelope).is_ok());
    }
}

TEST("nesting deeper than the limit is refused, at the limit it passes") {
    Envelope envelope;
    const auto nested = [](size_t depth) {
        Bytes frame = frame_with("01", "01", "07", "a170 c0 c0 c0");
        frame.insert(frame.end(), depth - 1, 0x91);
        frame.push_back(0x90);
        return frame;
    };
    CHECK_OK(read(nested(Limits{}.max_depth), envelope));
    CHECK_FAILS(read(nested(Limits{}.max_depth + 1), envelope), Code::LIMIT_EXCEEDED, "nested too deep");
    CHECK_FAILS(read(nested(100'000), envelope), Code::LIMIT_EXCEEDED, "nested too deep");
}

TEST("msgpackr's records, known by definition or by number, get advice") {
    Envelope envelope;
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 d4 72 40 91 a1 6b 05"), envelope), Code::UNSUPPORTED_EXTENSION,
                "record extension found at byte 9: create the Packr with {useRecords: false}");
    CHECK_FAILS(read(frame_with("01", "01", "07", "a170 c0 c0 c0 40 05"), envelope), Code::UNSUPPORTED_EXTENSION,
                "useRecords: false");
}

TEST("a target is a name and perhaps a selector") {
    const auto plain = parse_target("packages");
    CHECK_OK(plain);
    CHECK_EQ(plain.value().name, "packages");
    CHECK_EQ(plain.value().selector, "");
    const auto versioned = parse_target("fraud-guard@1.2.0");
    CHECK_OK(versioned);
    CHECK_EQ(versioned.value().name, "fraud-guard");
    CHECK_EQ(versioned.value().selector, "1.2.0");
    for (const std::string_view bad : {"", "@champion", "packages@", "a@b@c", "../etc", "two words"}) {
        CHECK_FAILS(parse_target(bad).status(), Code::INVALID_ARGUMENT, "name@alias or name@version");
    }
}

TEST("operations have one name and one number") {
    for (uint64_t number = 1; number <= 8; ++number) {
        const auto operation = operation_from_number(number);
        CHECK(operation.has_value());
        CHECK(operation_from_name(operation_name(*operation)) == operation);
    }
    CHECK(!operation_from_number(0).has_value());
    CHECK(!operation_from_number(9).has_value());
    CHECK(!operation_from_name("recomend").has_value());
}

}  // namespace
}  // namespace rankd::wire
