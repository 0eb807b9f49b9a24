// Bodies of recommend, rank, similar and score in both codecs: every field, every limit, every refusal.
#include "wire/request.h"

#include <cmath>
#include <limits>

#include "tests/decoded.h"

namespace rankd::wire {
namespace {

using test::Bytes;
using test::Decoded;
using test::from_hex;
using test::from_text;
using test::GuardedBody;
using test::json;
using test::json_status;
using test::msgpack;
using test::one_field;
using test::pack;

constexpr auto kRecommend = Operation::kRecommend;
constexpr auto kRank = Operation::kRank;
constexpr auto kScore = Operation::kScore;

void check_full_recommend(const Decoded& decoded) {
    CHECK_OK(decoded.status);
    const Request& request = decoded.request;
    CHECK(request.user == Id::of("ada"));
    CHECK(request.has_history);
    CHECK_EQ(request.history.size(), 2u);
    CHECK(request.history[0] == Id::of("cmake"));
    CHECK(request.history[1] == Id::of(uint64_t{42}));
    CHECK_EQ(request.features.size(), 2u);
    CHECK_EQ(request.features[0].name, "age");
    CHECK_EQ(request.features[0].value, 31.0f);
    CHECK_EQ(request.features[1].value, -0.5f);
    CHECK_EQ(request.context.size(), 1u);
    CHECK_EQ(request.exclude.size(), 1u);
    CHECK_EQ(request.filters.size(), 2u);
    CHECK_EQ(request.filters[0].attribute, "section");
    CHECK_EQ(request.filters[0].any_of.size(), 2u);
    CHECK(request.filters[1].any_of[0] == Id::of(uint64_t{3}));
    CHECK(request.k == 5u);
}

TEST("recommend takes every field of its row, in JSON") {
    check_full_recommend(json(kRecommend, R"({"user": "ada", "history": ["cmake", 42], "features": {"age": 31, "x": -0.5},
        "context": {"hour": 9}, "exclude": ["vim"], "filters": {"section": ["libs", "devel"], "tier": 3}, "k": 5, "explain": false})"));
}

TEST("recommend takes every field of its row, in msgpack") {
    check_full_recommend(msgpack(kRecommend, pack([](MsgpackWriter& w) {
                                     w.begin_map(8);
                                     w.key("user"), w.text("ada");
                                     w.key("history"), w.begin_list(2), w.text("cmake"), w.integer(42);
                                     w.key("features"), w.begin_map(2), w.key("age"), w.integer(31), w.key("x"), w.number(-0.5f);
                                     w.key("context"), w.begin_map(1), w.key("hour"), w.number(9);
                                     w.key("exclude"), w.begin_list(1), w.text("vim");
                                     w.key("filters"), w.begin_map(2);
                                     w.key("section"), w.begin_list(2), w.text("libs"), w.text("devel");
                                     w.key("tier"), w.integer(3);
                                     w.key("k"), w.integer(5);
                                     w.key("explain"), w.boolean(false);
                                 })));
}

TEST("an absent field and a null one are the same, and an empty history is not an absent one") {
    const Decoded absent = json(kRecommend, R"({"user": null, "history": null, "k": null})");
    CHECK_OK(absent.status);
    CHECK(absent.request.user.is_none());
    CHECK(!absent.request.has_history);
    CHECK(!absent.request.k.has_value());
    CHECK(json(kRecommend, R"({"history": []})").request.has_history);
    CHECK_FAILS(json_status(Operation::kSimilar, R"({"item": null})"), Code::INVALID_ARGUMENT, "similar needs \"item\"");
}

TEST("an empty JSON body asks for recommendations, and for nothing else") {
    CHECK_OK(json_status(kRecommend, ""));
    CHECK_FAILS(json_status(kRank, ""), Code::INVALID_BODY, "holds nothing");
    CHECK_FAILS(msgpack(kRecommend, {}).status, Code::INVALID_BODY, "ends too early");
}

TEST("ids are non-empty texts and integers from 0, with 64 bits exact") {
    const auto user = [](std::string_view text) { return json(kRecommend, text).request.user; };
    CHECK(user(R"({"user": 0})") == Id::of(uint64_t{0}));
    CHECK(user(R"({"user": 18446744073709551615})") == Id::of(UINT64_MAX));
    CHECK(user(R"({"user": 9007199254740993})") == Id::of(uint64_t{9007199254740993}));
    CHECK(msgpack(kRecommend, one_field("user", "cb 4340000000000000")).request.user == Id::of(uint64_t{1} << 53));
    for (const std::string_view bad : {R"({"user": ""})", R"({"user": -1})", R"({"user": 1.5})", R"({"user": true})",
                                       R"({"user": [1]})", R"({"user": 1e17})"}) {
        CHECK_FAILS(json_status(kRecommend, bad), Code::INVALID_ARGUMENT,
                    "\"user\" must be an id (a non-empty text or an integer from 0)");
    }
    CHECK_FAILS(json_status(kRecommend, R"({"history": ["a", -3]})"), Code::INVALID_ARGUMENT, "history[1] must be an id");
    CHECK_FAILS(json_status(kRecommend, R"({"history": "a"})"), Code::INVALID_ARGUMENT,
                "must be a list of ids, got \"a\" (text)");
}

TEST("k is an integer from 1 to its limit") {
    CHECK(json(kRecommend, R"({"k": 10000})").request.k == 10'000u);
    CHECK(msgpack(kRecommend, one_field("k", "cb 4014000000000000")).request.k == 5u);
    CHECK_FAILS(json_status(kRecommend, R"({"k": "ten"})"), Code::INVALID_ARGUMENT,
                "\"k\" must be an integer from 1 to 10000, got \"ten\" (text)");
    CHECK_FAILS(json_status(kRecommend, R"({"k": 0})"), Code::INVALID_ARGUMENT, "got 0 (integer)");
    CHECK_FAILS(json_status(kRecommend, R"({"k": -3})"), Code::INVALID_ARGUMENT, "got -3 (integer)");
    CHECK_FAILS(json_status(kRecommend, R"({"k": 2.5})"), Code::INVALID_ARGUMENT, "got 2.5 (number)");
    CHECK_FAILS(json_status(kRecommend, R"({"k": 10001})"), Code::LIMIT_EXCEEDED, "from 1 to 10000, got 10001");
}

TEST("an unknown field is named, and a likely slip gets a proposal") {
    CHECK_FAILS(json_status(kRecommend, R"({"histroy": []})"), Code::INVALID_ARGUMENT,
                "unknown field \"histroy\" of recommend: did you mean \"history\"?");
    CHECK_FAILS(json_status(kRecommend, R"({"limit": 5})"), Code::INVALID_ARGUMENT, "unknown field \"limit\" of recommend");
    CHECK(!test::contains(json_status(kRecommend, R"({"limit": 5})").message(), "did you mean"));
    CHECK(!test::contains(json_status(kRecommend, R"({"q": 5})").message(), "did you mean"));
    CHECK_FAILS(json_status(kRecommend, R"({"candidates": []})"), Code::INVALID_ARGUMENT, "it belongs to rank");
    CHECK_FAILS(json_status(Operation::kSimilar, R"({"item": 1, "history": []})"), Code::INVALID_ARGUMENT,
                "belongs to recommend, rank");
}

TEST("what stands twice is refused") {
    CHECK_FAILS(json_status(kRecommend, R"({"k": 1, "k": 2})"), Code::INVALID_ARGUMENT, "\"k\" stands twice");
    CHECK_FAILS(json_status(kRecommend, R"({"k": null, "k": 2})"), Code::INVALID_ARGUMENT, "\"k\" stands twice");
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"a": 1, "b": 2, "a": 3}})"), Code::INVALID_ARGUMENT,
                "\"features\" names \"a\" twice");
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"": 1, "": 3}})"), Code::INVALID_ARGUMENT, "twice");
    CHECK_FAILS(json_status(kRecommend, R"({"filters": {"s": 1, "s": 3}})"), Code::INVALID_ARGUMENT,
                "\"filters\" names \"s\" twice");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [{"id": 1, "id": 2}]})"), Code::INVALID_ARGUMENT,
                "candidates[0] has the field \"id\" twice");
}

TEST("a duplicate is found in a large map of features too") {
    std::string text = R"({"features": {)";
    for (int i = 0; i < 300; ++i) text += "\"f" + std::to_string(i) + "\": 1, ";
    CHECK_OK(json_status(kRecommend, text + "\"last\": 1}}"));
    CHECK_FAILS(json_status(kRecommend, text + "\"f123\": 1}}"), Code::INVALID_ARGUMENT, "names \"f123\" twice");
}

TEST("features are finite numbers") {
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"age": "x"}})"), Code::INVALID_ARGUMENT,
                "features[\"age\"] must be a number, got \"x\" (text)");
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"age": null}})"), Code::INVALID_ARGUMENT, "got null");
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"age": 1e39}})"), Code::NOT_FINITE, "features[\"age\"]");
    CHECK_FAILS(json_status(kRecommend, R"({"features": [1]})"), Code::INVALID_ARGUMENT,
                "must be a map of feature names to numbers");
    CHECK_FAILS(msgpack(kRecommend, one_field("context", "81 a1 68 ca 7fc00000")).status, Code::NOT_FINITE, "context[\"h\"]");
    CHECK_FAILS(msgpack(kRecommend, one_field("context", "81 a1 68 cb fff0000000000000")).status, Code::NOT_FINITE,
                "got -Infinity");
}

TEST("explanations are refused until they exist") {
    CHECK_FAILS(json_status(kRecommend, R"({"explain": true})"), Code::INVALID_ARGUMENT, "not served yet");
    CHECK_FAILS(json_status(kRecommend, R"({"explain": 1})"), Code::INVALID_ARGUMENT, "must be true or false");
}

TEST("filters take an id or a list of ids, but no empty list") {
    CHECK_FAILS(json_status(kRecommend, R"({"filters": {"section": []}})"), Code::INVALID_ARGUMENT,
                "filters[\"section\"] names no id");
    CHECK_FAILS(json_status(kRecommend, R"({"filters": {"section": {}}})"), Code::INVALID_ARGUMENT,
                "filters[\"section\"] must be an id");
    CHECK_FAILS(json_status(kRecommend, R"({"filters": []})"), Code::INVALID_ARGUMENT, "must be a map of attributes to ids");
}

TEST("rank takes ids, ids with features, or a mixture") {
    const Decoded ids = json(kRank, R"({"candidates": ["a", 2], "order": "input", "query": "text editor"})");
    CHECK_OK(ids.status);
    CHECK_EQ(ids.request.candidate_count(), 2u);
    CHECK(ids.request.candidate_features.empty());
    CHECK(ids.request.order == Order::kInput);
    CHECK_EQ(ids.request.query, "text editor");

    const Decoded mixed =
        json(kRank, R"({"candidates": [{"id": "a", "features": {"x": 1, "y": 2}}, "b", {"features": {"x": 3, "y": 4}, "id": 9},
                                         {"id": "d", "features": {"x": 5, "y": 6}}, {"id": "e", "features": {"x": 7, "z": 8}}]})");
    CHECK_OK(mixed.status);
    const auto features = mixed.request.candidate_features;
    CHECK_EQ(features.size(), 5u);
    CHECK(features[1].empty());
    CHECK_EQ(features[2][1].value, 4.0f);
    CHECK(features[3][0].name.data() == features[2][0].name.data());
    CHECK_EQ(features[4][1].name, "z");
    CHECK(mixed.request.candidates[2] == Id::of(uint64_t{9}));
}

TEST("a bad candidate is named by its place") {
    CHECK_FAILS(json_status(kRank, R"({"candidates": ["a", {"features": {}}]})"), Code::INVALID_ARGUMENT,
                "candidates[1] has no \"id\"");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [{"id": 1, "boost": 2}]})"), Code::INVALID_ARGUMENT,
                "candidates[0] has an unknown field \"boost\"");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [{"id": 1, "features": {"age": "x"}}]})"), Code::INVALID_ARGUMENT,
                "candidates[0].features[\"age\"] must be a number");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [{"id": null}]})"), Code::INVALID_ARGUMENT,
                "candidates[0].id must be an id");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [1, null]})"), Code::INVALID_ARGUMENT, "candidates[1] must be an id");
    CHECK_FAILS(json_status(kRank, R"({"candidates": []})"), Code::INVALID_ARGUMENT, "at least one");
    CHECK_FAILS(json_status(kRank, R"({"user": 1})"), Code::INVALID_ARGUMENT, "rank needs \"candidates\"");
    CHECK_FAILS(json_status(kRank, R"({"candidates": "a"})"), Code::INVALID_ARGUMENT, "must be a list of ids");
    CHECK_FAILS(json_status(kRank, R"({"candidates": ["a"], "order": "worst"})"), Code::INVALID_ARGUMENT,
                "\"best\" or \"input\"");
}

TEST("rank in the caller's order and score may stream, nothing else") {
    CHECK(json(kRank, R"({"candidates": ["a"], "order": "input", "stream": true})").request.stream);
    CHECK(!json(kRank, R"({"candidates": ["a"], "stream": false})").request.stream);
    CHECK(json(kScore, R"({"rows": [[1]], "stream": true})").request.stream);
    CHECK_FAILS(json_status(kRank, R"({"candidates": ["a"], "stream": true})"), Code::INVALID_ARGUMENT,
                "\"stream\" needs \"order\": \"input\"");
    CHECK_FAILS(json_status(kRank, R"({"candidates": ["a"], "order": "input", "stream": 1})"), Code::INVALID_ARGUMENT,
                "\"stream\" must be true or false, got 1");
    CHECK_FAILS(json_status(kRecommend, R"({"stream": true})"), Code::INVALID_ARGUMENT, "belongs to rank, score");
}

Bytes binary_candidates(std::string_view bytes_hex, std::string_view id_type) {
    return pack([&](MsgpackWriter& w) {
        const Bytes bytes = from_hex(bytes_hex);
        std::vector<float> floats(bytes.size() / 4);
        if (!bytes.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
        w.begin_map(id_type.empty() ? 1 : 2);
        w.key("candidates"), w.numbers(floats);
        if (!id_type.empty()) w.key("id_type"), w.text(id_type);
    });
}

TEST("binary candidates say what they are, and fit it") {
    const Decoded rows = msgpack(kRank, binary_candidates("01000000 02000000 03000000", "u32_row"));
    CHECK_OK(rows.status);
    CHECK(rows.request.candidate_form == CandidateForm::kRows32);
    CHECK_EQ(rows.request.candidate_count(), 3u);
    const Decoded ids = msgpack(kRank, binary_candidates("0100000000000000", "u64"));
    CHECK_OK(ids.status);
    CHECK_EQ(ids.request.candidate_count(), 1u);
    CHECK_FAILS(msgpack(kRank, binary_candidates("01000000", "u64")).status, Code::SHAPE_MISMATCH, "multiple of 8 bytes, got 4");
    CHECK_FAILS(msgpack(kRank, binary_candidates("01000000", "")).status, Code::INVALID_ARGUMENT, "need \"id_type\"");
    CHECK_FAILS(msgpack(kRank, binary_candidates("01000000", "u32")).status, Code::INVALID_ARGUMENT, "\"u32_row\" or \"u64\"");
    CHECK_FAILS(msgpack(kRank, binary_candidates("", "u64")).status, Code::INVALID_ARGUMENT, "at least one");
    CHECK_FAILS(json_status(kRank, R"({"candidates": [1], "id_type": "u64"})"), Code::INVALID_ARGUMENT, "these are a list");
}

TEST("every count and length has a limit") {
    Limits limits;
    limits.max_history = limits.max_exclude = limits.max_candidates = limits.max_features = limits.max_rows = 2;
    limits.max_id_bytes = limits.max_string_bytes = 4;
    const auto refused = [&](Operation operation, std::string_view text, std::string_view part) {
        CHECK_FAILS(json_status(operation, text, limits), Code::LIMIT_EXCEEDED, part);
    };
    CHECK_OK(json_status(kRecommend, R"({"history": [1, 2], "user": "abcd"})", limits));
    refused(kRecommend, R"({"history": [1, 2, 3]})", "\"history\" has 3 entries: at most 2 are accepted");
    refused(kRecommend, R"({"exclude": [1, 2, 3]})", "\"exclude\" has 3");
    refused(kRecommend, R"({"features": {"a": 1, "b": 1, "c": 1}})", "\"features\" has 3");
    refused(kRecommend, R"({"filters": {"a": 1, "b": 1, "c": 1}})", "\"filters\" has 3");
    refused(kRecommend, R"({"filters": {"a": [1, 2, 3]}})", "filters[\"a\"] has 3");
    refused(kRecommend, R"({"user": "abcde"})", "\"user\" holds a text of 5 bytes: at most 4");
    refused(kRecommend, R"({"features": {"abcde": 1}})", "\"features\" holds a text of 5 bytes");
    refused(kRank, R"({"candidates": [1, 2, 3]})", "\"candidates\" has 3");
    refused(kRank, R"({"candidates": [1], "query": "abcde"})", "\"query\" holds");
    refused(kScore, R"({"rows": [[1], [1], [1]]})", "\"rows\" has 3");
    refused(kScore, R"({"rows": [[1, 2, 3]]})", "rows[0] has 3");
    CHECK_FAILS(msgpack(kRank, binary_candidates("01000000 02000000 03000000", "u32_row"), limits).status, Code::LIMIT_EXCEEDED,
                "has 3");
    limits.max_frame_bytes = 4;
    CHECK_FAILS(json_status(kRecommend, R"({"k": 1})", limits), Code::TOO_LARGE, "at most 4");
}

TEST("JSON that is not well-formed says why, and where when it is a bare word") {
    const auto refused = [&](std::string_view text, std::string_view part) {
        CHECK_FAILS(json_status(kRecommend, text), Code::INVALID_BODY, part);
    };
    refused("{", "not valid JSON");
    refused(R"({"k": 5} x)", "\"x\" at byte 9");
    refused(R"({"k": 5}{})", "out of place");
    refused(R"({k: 5})", "\"k\" at byte 1 is no JSON");
    refused(R"({"user": "a)", "closing quote");
    refused(R"({"user": "\x"})", "escape");
    refused("{\"user\": \"a\nb\"}", "control character");
    refused("{\"user\": \"\xff\"}", "not UTF-8");
    refused(R"({"user": "\ud800"})", "escape");
    refused(R"({"features": {"a": NaN}})", "NaN at byte 19: JSON has no such number");
    refused(R"({"features": {"a": -Infinity}})", "-Infinity at byte 19");
    refused(R"({"user": 18446744073709551616})", "needs more than 64 bits");
    refused(R"({"user": -9223372036854775809})", "needs more than 64 bits");
    refused(R"({"k": 05})", "malformed");
    refused(R"([1])", "the body must be a map of fields, got a list of 1");
    refused("null", "got null");
    CHECK_FAILS(json_status(kRecommend, R"({"features": {"a": 1e400}})"), Code::NOT_FINITE, "out of range: \"1e400\"");
}

TEST("JSON nests as deep as msgpack, and no deeper") {
    const auto nested = [](size_t depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
    CHECK_FAILS(json_status(kRecommend, nested(16)), Code::INVALID_BODY, "must be a map");
    CHECK_FAILS(json_status(kRecommend, nested(17)), Code::LIMIT_EXCEEDED, "nested more than 16 deep");
    CHECK_FAILS(json_status(kRecommend, nested(100'000)), Code::LIMIT_EXCEEDED, "nested more than 16 deep");
}

TEST("texts of JSON outlive the parser's buffers") {
    RequestDecoder decoder{Limits{}};
    Arena arena;
    Request first, second;
    const GuardedBody a(Codec::kJson, from_text(R"({"user": "first", "features": {"one": 1}})"));
    const GuardedBody b(Codec::kJson, from_text(R"({"user": "other", "features": {"two": 1}})"));
    CHECK_OK(decoder.decode(kRecommend, Codec::kJson, a.bytes(), arena, first));
    CHECK_OK(decoder.decode(kRecommend, Codec::kJson, b.bytes(), arena, second));
    CHECK_EQ(first.user.text, "first");
    CHECK_EQ(first.features[0].name, "one");
}

TEST("msgpack that is not well-formed, or goes on behind its end, is refused") {
    CHECK_FAILS(msgpack(kRecommend, from_hex("81 a1")).status, Code::INVALID_BODY, "cannot fit");
    CHECK_FAILS(msgpack(kRecommend, from_hex("81 a1 6b")).status, Code::INVALID_BODY, "ends too early");
    CHECK_FAILS(msgpack(kRecommend, from_hex("80 00")).status, Code::INVALID_BODY, "the body ends at byte 1, but has 2 bytes");
    CHECK_FAILS(msgpack(kRecommend, from_hex("81 05 05")).status, Code::INVALID_ARGUMENT,
                "keys of a map must be text, got 5 (integer)");
    CHECK_FAILS(msgpack(kRecommend, from_hex("93 01 02 03")).status, Code::INVALID_BODY,
                "must be a map of fields, got a list of 3");
    CHECK_FAILS(msgpack(kRecommend, one_field("history", "dd 7fffffff")).status, Code::INVALID_BODY, "cannot fit");
}

TEST("msgpack extensions are refused with advice") {
    const auto refused = [&](std::string_view value, std::string_view part) {
        CHECK_FAILS(msgpack(kRecommend, one_field("user", value)).status, Code::UNSUPPORTED_EXTENSION, part);
    };
    refused("d4 72 40", "msgpackr record extension found at byte 6");
    refused("c7 09 74 07 0000803f00000040", "msgpackr typed array found at byte 6: send tensors as a byte view");
    refused("d6 ff 00000000", "timestamp (extension type -1)");
    refused("d4 00 00", "msgpackr writes undefined so");
    refused("d6 62 0000000a", "bundleStrings");
    refused("c8 0001 2a 00", "extension type 42");
    refused("d8 2b", "extension type 43");
    CHECK_FAILS(msgpack(kRecommend, one_field("user", "c7 09")).status, Code::INVALID_BODY, "ends too early");
}

TEST("hostile text is quoted so that it can be shown") {
    CHECK_FAILS(msgpack(kRecommend, from_hex("81 a3 ff0a41 01")).status, Code::INVALID_ARGUMENT,
                "unknown field \"\uFFFD\uFFFDA\"");
    const std::string longer(3000, 'x');
    const Status status = json_status(kRecommend, "{\"" + longer + "\": 1}");
    CHECK(status.message().size() < 120);
    CHECK(test::contains(status.message(), "…\""));
}

TEST("operations of the future say what is served today") {
    for (const auto operation : {Operation::kEmbed, Operation::kExplain}) {
        CHECK_FAILS(json_status(operation, "{}"), Code::UNSUPPORTED_OPERATION,
                    "this server answers recommend, rank, similar, score, infer and feedback");
    }
}

TEST("similar takes an item and k") {
    const Decoded decoded = json(Operation::kSimilar, R"({"item": "cmake", "k": 3})");
    CHECK_OK(decoded.status);
    CHECK(decoded.request.item == Id::of("cmake"));
    CHECK(decoded.request.k == 3u);
}

}  // namespace
}  // namespace rankd::wire
