// The rows of `score`: packed floats, maps by name, lists of numbers, and every refusal.
#include <cmath>
#include <limits>

#include "tests/decoded.h"

namespace rankd::wire {
namespace {

using test::Bytes;
using test::Decoded;
using test::json;
using test::json_status;
using test::msgpack;
using test::one_field;
using test::pack;

constexpr auto kScore = Operation::kScore;

TEST("score takes packed floats") {
    const Bytes body = pack([](MsgpackWriter& w) { w.begin_map(1), w.key("rows"), w.numbers(std::vector<float>{1, 2, 3}); });
    const Decoded decoded = msgpack(kScore, body);
    CHECK_OK(decoded.status);
    CHECK_EQ(decoded.request.row_bytes.size(), 12u);
    CHECK_FAILS(msgpack(kScore, one_field("rows", "c4 03 010203")).status, Code::SHAPE_MISMATCH, "multiple of 4 bytes, got 3");
    CHECK_FAILS(msgpack(kScore, one_field("rows", "c4 00")).status, Code::INVALID_ARGUMENT, "at least one row");
}

TEST("a packed NaN is found wherever it stands") {
    for (const size_t bad : {0u, 1u, 255u, 256u, 700u}) {
        std::vector<float> floats(701, 1.0f);
        floats[bad] = bad % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : -std::numeric_limits<float>::infinity();
        const Bytes body = pack([&](MsgpackWriter& w) { w.begin_map(1), w.key("rows"), w.numbers(floats); });
        CHECK_FAILS(msgpack(kScore, body).status, Code::NOT_FINITE, "float " + std::to_string(bad) + " ");
    }
}

TEST("score takes maps by feature name and lists of numbers") {
    const Decoded maps = json(kScore, R"({"rows": [{"amount": 12.5, "hour": 3}, {"amount": 1, "hour": 4}, {}]})");
    CHECK_OK(maps.status);
    CHECK_EQ(maps.request.row_count, 3u);
    CHECK_EQ(maps.request.row_maps[1][0].value, 1.0f);
    CHECK(maps.request.row_maps[2].empty());

    const Decoded lists = json(kScore, R"({"rows": [[1, 2, 3], [4, 5, 6.5]]})");
    CHECK_OK(lists.status);
    CHECK_EQ(lists.request.row_count, 2u);
    CHECK_EQ(lists.request.row_width, 3u);
    CHECK_EQ(lists.request.row_values.size(), 6u);
    CHECK_EQ(lists.request.row_values[5], 6.5f);
    CHECK_EQ(lists.request.candidate_count(), 2u);
}

TEST("rows that do not fit each other are named") {
    CHECK_FAILS(json_status(kScore, R"({"rows": [[1, 2], [1, 2], [1]]})"), Code::SHAPE_MISMATCH,
                "rows[2] has 1 numbers, rows[0] has 2");
    CHECK_FAILS(json_status(kScore, R"({"rows": [[]]})"), Code::SHAPE_MISMATCH, "rows[0] is empty");
    CHECK_FAILS(json_status(kScore, R"({"rows": [[1, "a"]]})"), Code::INVALID_ARGUMENT, "rows[0][1] must be a number");
    CHECK_FAILS(json_status(kScore, R"({"rows": [[1, 1e200]]})"), Code::NOT_FINITE, "rows[0][1]");
    CHECK_FAILS(json_status(kScore, R"({"rows": [{"a": 1}, [1]]})"), Code::INVALID_ARGUMENT,
                "rows[1] must be a map like rows[0]");
    CHECK_FAILS(json_status(kScore, R"({"rows": [[1], {"a": 1}]})"), Code::INVALID_ARGUMENT,
                "rows[1] must be a list like rows[0]");
    CHECK_FAILS(json_status(kScore, R"({"rows": [1, 2]})"), Code::INVALID_ARGUMENT,
                "rows[0] must be a map of features or a list");
    CHECK_FAILS(json_status(kScore, R"({"rows": []})"), Code::INVALID_ARGUMENT, "at least one row");
    CHECK_FAILS(json_status(kScore, R"({"rows": "a"})"), Code::INVALID_ARGUMENT, "must be binary float32");
    CHECK_FAILS(json_status(kScore, "{}"), Code::INVALID_ARGUMENT, "score needs \"rows\"");
    CHECK_FAILS(json_status(kScore, R"({"rows": [{"a": 1, "a": 2}]})"), Code::INVALID_ARGUMENT, "rows[0] names \"a\" twice");
}

}  // namespace
}  // namespace rankd::wire
