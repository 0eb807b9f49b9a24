// traceparent as W3C Trace Context has it: what is valid is read, everything else counts as not sent.
#include "wire/trace_context.h"

#include "tests/test.h"
#include "wire/request.h"

namespace rankd {
namespace {

using wire::parse_traceparent;
using wire::TraceContext;

constexpr std::string_view kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kParentId = "00f067aa0ba902b7";

std::string traceparent(std::string_view version, std::string_view flags, std::string_view rest = "") {
    std::string text(version);
    text.append("-").append(kTraceId).append("-").append(kParentId).append("-").append(flags).append(rest);
    return text;
}

TEST("a valid traceparent is read, and its flag says whether it is sampled") {
    const TraceContext trace = parse_traceparent(traceparent("00", "01"));
    CHECK(trace.is_known && trace.is_sampled);
    CHECK_EQ(wire::hex(trace.trace_id), kTraceId);
    CHECK_EQ(wire::hex(trace.parent_id), kParentId);
    CHECK(!parse_traceparent(traceparent("00", "00")).is_sampled);
    CHECK(!parse_traceparent(traceparent("00", "fe")).is_sampled);
    CHECK(parse_traceparent(traceparent("00", "ff")).is_sampled);
}

TEST("a later version is read as far as this one goes") {
    CHECK(parse_traceparent(traceparent("01", "01")).is_sampled);
    CHECK(parse_traceparent(traceparent("cc", "01", "-what-the-future-brings")).is_sampled);
    CHECK(!parse_traceparent(traceparent("cc", "01", ".what")).is_known);
    CHECK(!parse_traceparent(traceparent("ff", "01")).is_known);
}

TEST("what is not valid counts as not sent") {
    const std::string valid = traceparent("00", "01");
    CHECK(!parse_traceparent("").is_known);
    CHECK(!parse_traceparent(valid + "-more").is_known);
    for (size_t length = 0; length < valid.size(); ++length) CHECK(!parse_traceparent(valid.substr(0, length)).is_known);
    for (size_t at = 0; at < valid.size(); ++at)
        for (const char wrong : {'g', 'A', ' ', '_'}) {
            std::string text = valid;
            text[at] = wrong;
            CHECK(!parse_traceparent(text).is_known);
        }
    const auto zeroed = [&](size_t at, size_t count) { return std::string(valid).replace(at, count, count, '0'); };
    CHECK(!parse_traceparent(zeroed(3, 32)).is_known);
    CHECK(!parse_traceparent(zeroed(36, 16)).is_known);
}

TEST("a body may carry a traceparent: text that is none is ignored, another type is told") {
    const auto decode = [](std::string body, wire::Request& request) {
        const size_t size = body.size();
        body.resize(size + wire::kBodyPadding);
        Arena arena;
        wire::RequestDecoder decoder{wire::Limits{}};
        return decoder.decode(wire::Operation::kRecommend, wire::Codec::kJson,
                              {reinterpret_cast<const uint8_t*>(body.data()), size}, arena, request);
    };
    wire::Request request;
    CHECK_OK(decode("{\"traceparent\": \"" + traceparent("00", "01") + "\"}", request));
    CHECK(request.trace.is_sampled);
    CHECK_OK(decode(R"({"traceparent": "unknown"})", request));
    CHECK(!request.trace.is_known);
    const Status refused = decode(R"({"traceparent": 5})", request);
    CHECK_EQ(code_name(refused.code()), "INVALID_ARGUMENT");
    CHECK_EQ(refused.message(), "\"traceparent\" must be text, got 5 (integer)");
}

}  // namespace
}  // namespace rankd
