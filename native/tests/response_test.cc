// Answers and errors as bytes, in both codecs and both framings.
#include "wire/response.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/test.h"
#include "tests/wire_support.h"

namespace rankd::wire {
namespace {

using test::Bytes;
using test::from_hex;

std::string text_of(const ByteBuffer& buffer) {
    return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}
Bytes bytes_of(const ByteBuffer& buffer) {
    return {buffer.bytes().begin(), buffer.bytes().end()};
}

std::string json_of(const Answer& answer, Framing framing = Framing::kBody) {
    ByteBuffer out;
    encode_answer(Codec::kJson, framing, answer, out);
    return text_of(out);
}

const std::vector<ScoredItem> kItems = {{Id::of("vim"), 0.5f, "towers"}, {Id::of(uint64_t{9007199254740993}), 0.1f, {}}};

Answer list_answer() {
    Answer answer;
    answer.request_id = Id::of("r1");
    answer.model = "packages";
    answer.version = "1.0.0";
    answer.items = kItems;
    answer.timing = {1, 20, 300};
    return answer;
}

TEST("an answer with items reads as documented in JSON") {
    Answer answer = list_answer();
    add(answer.degraded, Degraded::kUnknownUser);
    add(answer.degraded, Degraded::kModelFailed);
    CHECK_EQ(json_of(answer),
             R"({"request_id":"r1","model":"packages","version":"1.0.0","degraded":["unknown_user","model_failed"],)"
             R"("items":[{"id":"vim","score":0.5,"source":"towers"},{"id":9007199254740993,"score":0.1}],)"
             R"("timing":{"queue":1,"compute":20,"total":300}})");
}

TEST("an RPC frame carries version, id, code, sequence and end") {
    Answer answer;
    answer.request_id = Id::of(uint64_t{7});
    const std::string json = json_of(answer, Framing::kRpc);
    CHECK_EQ(json.substr(0, 31), R"([1,7,0,0,true,{"request_id":7,")");
    CHECK_EQ(json.back(), ']');
    ByteBuffer out;
    encode_answer(Codec::kMsgpack, Framing::kRpc, answer, out);
    CHECK(Bytes(out.data(), out.data() + 7) == from_hex("96 01 07 00 00 c3 86"));
}

TEST("msgpack answers use the smallest forms and 32-bit floats") {
    Answer answer = list_answer();
    ByteBuffer out;
    encode_answer(Codec::kMsgpack, Framing::kBody, answer, out);
    const Bytes expected = from_hex(
        "86 aa 726571756573745f6964 a2 7231 a5 6d6f64656c a8 7061636b61676573 a7 76657273696f6e a5 312e302e30 a8 "
        "6465677261646564 90"
        "a5 6974656d73 92 83 a2 6964 a3 76696d a5 73636f7265 ca 3f000000 a6 736f75726365 a6 746f77657273"
        "82 a2 6964 cf 0020000000000001 a5 73636f7265 ca 3dcccccd"
        "a6 74696d696e67 83 a5 7175657565 01 a7 636f6d70757465 14 a5 746f74616c cd 012c");
    CHECK(bytes_of(out) == expected);
}

TEST("scores are packed floats in msgpack and numbers in JSON, where NaN is null") {
    Answer answer = list_answer();
    answer.kind = AnswerKind::kScores;
    const std::vector<float> scores = {0.25f, std::numeric_limits<float>::quiet_NaN(), 1e-7f};
    const std::vector<std::string_view> decisions = {"approve", "review", "decline"};
    answer.scores = scores;
    CHECK(test::contains(json_of(answer), R"("degraded":[],"scores":[0.25,null,1e-07],"timing")"));
    answer.decisions = decisions;
    CHECK(test::contains(json_of(answer), R"("decisions":["approve","review","decline"],"timing")"));
    CHECK(!test::contains(json_of(answer), "items"));
    ByteBuffer out;
    encode_answer(Codec::kMsgpack, Framing::kBody, answer, out);
    CHECK(test::contains(text_of(out), std::string_view("\xa6scores\xc4\x0c\x00\x00\x80\x3e\x00\x00\xc0\x7f", 17)));
    CHECK_EQ(int{out.data()[0]}, 0x87);
}

TEST("a frame of a stream says where its scores belong, and its head which one it is") {
    Answer answer = list_answer();
    answer.kind = AnswerKind::kScores;
    const std::vector<float> scores = {0.5f};
    const std::vector<std::string_view> decisions = {"approve"};
    answer.scores = scores;
    answer.decisions = decisions;
    answer.is_streamed = true;
    answer.seq = 3;
    answer.last = false;
    answer.offset = 1536;
    const std::string json = json_of(answer, Framing::kRpc);
    CHECK(test::contains(json, R"([1,"r1",0,3,false,{)"));
    CHECK(test::contains(json, R"("degraded":[],"offset":1536,"scores":[0.5],"decisions":["approve"],"timing")"));
    ByteBuffer out;
    encode_answer(Codec::kMsgpack, Framing::kBody, answer, out);
    CHECK_EQ(int{out.data()[0]}, 0x88);
    out.clear();
    encode_error(Codec::kJson, Framing::kRpc, Id::of("r1"), Status(Code::MODEL_FAILED, "x"), out, 4);
    CHECK(test::contains(text_of(out), R"([1,"r1",26,4,true,{"error")"));
}

TEST("floats in JSON read back as the same float") {
    Answer answer;
    answer.kind = AnswerKind::kScores;
    std::vector<float> scores;
    for (uint32_t bits = 1; bits < 0x7f800000u; bits += 7'654'321) scores.push_back(std::bit_cast<float>(bits));
    for (size_t i = 0, n = scores.size(); i < n; ++i) scores.push_back(-scores[i]);
    for (const float score : scores) {
        answer.scores = {&score, 1};
        const std::string json = json_of(answer);
        const char* at = json.c_str() + json.find("\"scores\":[") + 10;
        CHECK_EQ(std::strtof(at, nullptr), score);
    }
}

TEST("JSON texts are escaped, and broken UTF-8 is replaced") {
    Answer answer;
    answer.model = "a\"b\\c\n\r\t\x01\x1f\x7f/é€😀";
    CHECK(test::contains(json_of(answer), R"("model":"a\"b\\c\n\r\t\u0001\u001f)"
                                          "\x7f/é€😀\""));
    const std::pair<std::string_view, std::string_view> broken[] = {
        {"\xff!", "\uFFFD!"},                              // no such lead byte
        {"\xc0\xaf", "\uFFFD\uFFFD"},                      // overlong
        {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},            // a surrogate
        {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // beyond U+10FFFF
        {"\xe2\x82", "\uFFFD\uFFFD"},                      // cut off
        {"\xe2\x82x", "\uFFFD\uFFFDx"},
    };
    for (const auto& [bytes, shown] : broken) {
        answer.model = bytes;
        CHECK(test::contains(json_of(answer), std::string("\"model\":\"") + std::string(shown) + "\","));
    }
}

TEST("an error has one body everywhere") {
    ByteBuffer out;
    encode_error(Codec::kJson, Framing::kBody, Id::of("r1"), Status(Code::INVALID_ARGUMENT, "\"k\" must be an integer"), out);
    CHECK_EQ(text_of(out), R"({"error":"\"k\" must be an integer","code":"INVALID_ARGUMENT","request_id":"r1"})");
    out.clear();
    encode_error(Codec::kJson, Framing::kRpc, Id{}, Status::overloaded("queue full", 20), out);
    CHECK_EQ(text_of(out),
             R"([1,null,16,0,true,{"error":"queue full","code":"OVERLOADED","request_id":null,"retry_after_ms":20}])");
    out.clear();
    encode_error(Codec::kMsgpack, Framing::kRpc, Id::of(uint64_t{300}), Status(Code::TOO_LARGE, "x"), out);
    CHECK(bytes_of(out) == from_hex("96 01 cd 012c 06 00 c3 83 a5 6572726f72 a1 78 a4 636f6465 a9 544f4f5f4c41524745"
                                    "aa 726571756573745f6964 cd 012c"));
}

TEST("a message that quotes broken bytes is valid UTF-8 in msgpack too") {
    ByteBuffer out;
    encode_error(Codec::kMsgpack, Framing::kBody, Id{}, Status(Code::UNKNOWN_MODEL, "no \xff"), out);
    CHECK(test::contains(text_of(out), "\xa6no \uFFFD"));
}

TEST("integers, texts and lists change form at their borders") {
    ByteBuffer out;
    MsgpackWriter writer(out);
    const auto written = [&](auto write, size_t head) {
        out.clear();
        write();
        return Bytes(out.data(), out.data() + head);
    };
    CHECK(written([&] { writer.integer(127); }, 1) == from_hex("7f"));
    CHECK(written([&] { writer.integer(128); }, 2) == from_hex("cc 80"));
    CHECK(written([&] { writer.integer(256); }, 3) == from_hex("cd 0100"));
    CHECK(written([&] { writer.integer(65536); }, 5) == from_hex("ce 00010000"));
    CHECK(written([&] { writer.integer(1ull << 32); }, 9) == from_hex("cf 0000000100000000"));
    CHECK(written([&] { writer.text(std::string(31, 'a')); }, 1) == from_hex("bf"));
    CHECK(written([&] { writer.text(std::string(32, 'a')); }, 2) == from_hex("d9 20"));
    CHECK(written([&] { writer.text(std::string(256, 'a')); }, 3) == from_hex("da 0100"));
    CHECK(written([&] { writer.text(std::string(65536, 'a')); }, 5) == from_hex("db 00010000"));
    CHECK(written([&] { writer.begin_list(15); }, 1) == from_hex("9f"));
    CHECK(written([&] { writer.begin_list(16); }, 3) == from_hex("dc 0010"));
    CHECK(written([&] { writer.begin_list(65536); }, 5) == from_hex("dd 00010000"));
    CHECK(written([&] { writer.begin_map(16); }, 3) == from_hex("de 0010"));
    CHECK(written([&] { writer.numbers(std::vector<float>(63)); }, 2) == from_hex("c4 fc"));
    CHECK(written([&] { writer.numbers(std::vector<float>(64)); }, 3) == from_hex("c5 0100"));
    CHECK(written([&] { writer.numbers(std::vector<float>(16384)); }, 5) == from_hex("c6 00010000"));
}

TEST("answers follow each other in one buffer, and a half-written one can be taken back") {
    ByteBuffer out(8);
    encode_answer(Codec::kJson, Framing::kBody, list_answer(), out);
    const size_t first = out.size();
    encode_answer(Codec::kMsgpack, Framing::kRpc, list_answer(), out);
    CHECK(out.size() > first);
    out.truncate(first);
    CHECK_EQ(text_of(out), json_of(list_answer()));
}

TEST("each bit of degraded has its word") {
    Answer answer;
    answer.degraded = 0xffff;
    CHECK(test::contains(json_of(answer),
                         R"("degraded":["unknown_user","unknown_items","no_history","fallback","short_catalogue",)"
                         R"("seen_filter_relaxed","model_failed"],)"));
    CHECK_EQ(degraded_word(3), "fallback");
}

}  // namespace
}  // namespace rankd::wire
