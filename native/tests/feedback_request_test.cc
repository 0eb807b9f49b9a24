// Bodies of `feedback`: one event or a list of them, in both codecs.
#include "tests/decoded.h"
#include "wire/describe.h"

namespace rankd::wire {
namespace {

using namespace test;

constexpr Operation kFeedback = Operation::kFeedback;

void check_refused(std::string_view body, Code code, std::string_view words) {
    const Status status = json_status(kFeedback, body);
    CHECK_EQ(code_name(status.code()), code_name(code));
    if (!contains(status.message(), words)) fail(__FILE__, __LINE__, status.message());
}

TEST("one event stands in the body itself") {
    const Decoded decoded = json(kFeedback, R"({"request_id": "r0", "user": 7, "item": "vim", "event": "buy", "value": 1e300})");
    CHECK_OK(decoded.status);
    CHECK_EQ(decoded.request.events.size(), 1u);
    const FeedbackEvent& event = decoded.request.events[0];
    CHECK(event.request_id == Id::of("r0"));
    CHECK(event.user == Id::of(7));
    CHECK(event.item == Id::of("vim"));
    CHECK_EQ(event.name, "buy");
    CHECK(event.value == 1e300);  // a float32 would be infinite
}

TEST("what an event need not have is absent") {
    const Decoded decoded = json(kFeedback, R"({"item": 18446744073709551615, "event": "view"})");
    CHECK_OK(decoded.status);
    CHECK(decoded.request.events[0].item == Id::of(UINT64_MAX));
    CHECK(decoded.request.events[0].user.is_none());
    CHECK(decoded.request.events[0].request_id.is_none());
    CHECK(!decoded.request.events[0].value);
}

TEST("as many events as the limit says are taken, and not one more") {
    const auto body = [](size_t count) {
        return pack([&](MsgpackWriter& w) {
            w.begin_map(1), w.key("events"), w.begin_list(count);
            for (size_t i = 0; i < count; ++i) w.begin_map(2), w.key("item"), w.integer(i), w.key("event"), w.text("view");
        });
    };
    const Decoded most = msgpack(kFeedback, body(1000));
    CHECK_OK(most.status);
    CHECK_EQ(most.request.events.size(), 1000u);
    CHECK(most.request.events[999].item == Id::of(999));
    CHECK_EQ(code_name(msgpack(kFeedback, body(1001)).status.code()), "LIMIT_EXCEEDED");
}

TEST("the name of an event is lower case, without blanks, and not empty") {
    for (const char* name : {"click", "a", "add_to-cart.2"})
        CHECK_OK(json_status(kFeedback, concat(R"({"item": 1, "event": ")", std::string_view(name), R"("})")));
    check_refused(R"({"item": 1, "event": ""})", Code::INVALID_ARGUMENT, "\"event\" must be text of a to z");
    check_refused(R"({"item": 1, "event": "add to cart"})", Code::INVALID_ARGUMENT, "got \"add to cart\" (text)");
    check_refused(R"({"item": 1, "event": "clic\u00e9"})", Code::INVALID_ARGUMENT, "\"event\" must be text of a to z");
    check_refused(R"({"item": 1, "event": 5})", Code::INVALID_ARGUMENT, "got 5 (integer)");
}

TEST("an error names the event and the field it stands in") {
    check_refused(R"({"events": {"item": 1}})", Code::INVALID_ARGUMENT, "\"events\" must be a list");
    check_refused(R"({"events": [1]})", Code::INVALID_ARGUMENT, "events[0] must be a map");
    check_refused(R"({"events": [{"item": 1}]})", Code::INVALID_ARGUMENT, "events[0] has no \"event\"");
    check_refused(R"({"events": [{"item": null, "event": "a"}]})", Code::INVALID_ARGUMENT, "events[0] has no \"item\"");
    check_refused(R"({"events": [{"item": 1, "event": "a", "user": -1}]})", Code::INVALID_ARGUMENT,
                  "events[0].user must be an id");
    check_refused(R"({"events": [{"item": 1, "item": 2, "event": "a"}]})", Code::INVALID_ARGUMENT,
                  "events[0] has the field \"item\" twice");
    check_refused(R"({"item": 1, "event": "a", "vlaue": 1})", Code::INVALID_ARGUMENT, "did you mean \"value\"?");
    check_refused(R"({"item": 1, "event": "a", "k": 1})", Code::INVALID_ARGUMENT, "feedback takes no field \"k\"");
    check_refused("", Code::INVALID_BODY, "holds nothing");
}

}  // namespace
}  // namespace rankd::wire
