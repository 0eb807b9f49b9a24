// What the engine tells of single requests and of stages, from submit to the page that shows it.
#include "engine/core.h"
#include "engine/handle.h"
#include "tests/fake_sessions.h"
#include "tests/test.h"

namespace rankd {
namespace {

using engine::BareBody;
using engine::Core;
using engine::CoreOptions;
using engine::LoggedRequest;
using wire::Operation;

constexpr std::string_view kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view kOther = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A core with a clock that stands still until the test moves it.
class Observed {
  public:
    explicit Observed(bool observe = true) {
        CoreOptions options;
        options.compute_threads = 0;
        options.sessions = test::fake_sessions();
        options.clock = &clock;
        options.observe = observe;
        core = Core::create(std::move(options));
        CHECK_OK(core->load(test::fixture_model("tiny")));
        handle = std::move(core->attach()).value();
    }
    ~Observed() {
        handle->detach();
        core->close();
    }

    void submit(const std::string& body, std::string_view request_id, std::string_view traceparent = {},
                uint32_t deadline_ms = 0) {
        const BareBody bare{Operation::kRecommend, "tiny", deadline_ms, request_id, wire::parse_traceparent(traceparent)};
        const std::span bytes(reinterpret_cast<const uint8_t*>(body.data()), body.size());
        CHECK(handle->submit(bytes, wire::Codec::kJson, bare) >= 0);
    }
    void flush_after(Micros waited) {
        clock.advance(waited);
        while (handle->flush(1'000'000).more) {
        }
    }
    std::vector<LoggedRequest> slowest() { return core->request_log().slowest(clock.now()); }

    ManualClock clock;
    std::shared_ptr<Core> core;
    std::shared_ptr<engine::Handle> handle;
};

TEST("an executed request is told with its model, its batch and the stages that ran") {
    Observed with;
    with.submit(R"({"user": "user-0"})", "a-1");
    with.submit(R"({"user": "user-1"})", "a-2");
    with.flush_after(700);
    const auto slowest = with.slowest();
    CHECK_EQ(slowest.size(), 2u);
    const LoggedRequest& first = slowest[0];
    CHECK_EQ(first.request_id.view(), "a-1");
    CHECK_EQ(first.model.view(), "tiny");
    CHECK_EQ(first.version.view(), "1.0.0");
    CHECK(first.operation == Operation::kRecommend && first.code == Code::OK);
    CHECK_EQ(first.batch_requests, 2u);
    CHECK_EQ(first.queue_us, 700u);
    CHECK_EQ(first.total_us, 700u);
    CHECK(first.rows > 0);
    for (const auto stage : {pipeline::TimedStage::kDecode, pipeline::TimedStage::kLookup, pipeline::TimedStage::kScore,
                             pipeline::TimedStage::kSelect, pipeline::TimedStage::kEncode})
        CHECK(first.stages.has(static_cast<size_t>(stage)));
    CHECK(!first.stages.has(static_cast<size_t>(pipeline::TimedStage::kInfer)));
}

TEST("stages are counted once a batch") {
    Observed with;
    with.submit("{}", "a");
    with.submit("{}", "b");
    with.flush_after(10);
    const auto stats = with.core->stats();
    for (const engine::OperationStats& operation : stats.operations) {
        if (operation.operation != "recommend") continue;
        for (const char* stage : {"decode", "lookup", "retrieve", "score", "select", "encode"})
            CHECK_EQ(operation.counters.stage_us.at(stage).counts[0], 1u);
    }
}

TEST("a request that expired while it waited is told as well, and counted with the time it waited") {
    Observed with;
    with.submit("{}", "late", kTraceparent, 5);
    with.flush_after(9000);
    const auto slowest = with.slowest();
    CHECK_EQ(slowest.size(), 1u);
    CHECK(slowest[0].code == Code::DEADLINE_EXCEEDED);
    CHECK_EQ(slowest[0].batch_requests, 0u);
    CHECK_EQ(slowest[0].total_us, 9000u);
    CHECK_EQ(with.core->request_log().take_traces().size(), 1u);
    for (const engine::OperationStats& operation : with.core->stats().operations)
        if (operation.operation == "recommend") CHECK_EQ(operation.counters.request_us.sum, 9000u);
}

TEST("a body that does not decode is told with its code") {
    Observed with;
    with.submit(R"({"k": 0})", "broken");
    with.flush_after(10);
    CHECK(with.slowest()[0].code == Code::INVALID_ARGUMENT);
}

TEST("a sampled trace is taken once, and the body's goes before that beside it") {
    Observed with;
    with.submit("{}", "beside", kTraceparent);
    with.submit(R"({"traceparent": ")" + std::string(kOther) + R"("})", "inside", kTraceparent);
    with.submit("{}", "unsampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
    with.submit("{}", "none");
    with.flush_after(10);
    const auto traces = with.core->request_log().take_traces();
    CHECK_EQ(traces.size(), 2u);
    CHECK_EQ(traces[0].request_id.view(), "beside");
    CHECK_EQ(wire::hex(traces[0].trace.trace_id), kTraceparent.substr(3, 32));
    CHECK_EQ(wire::hex(traces[1].trace.trace_id), kOther.substr(3, 32));
    CHECK(with.core->request_log().take_traces().empty());
}

TEST("without observation nothing is told and no stage is timed") {
    Observed with(false);
    with.submit("{}", "a", kTraceparent);
    with.flush_after(5000);
    CHECK(with.slowest().empty());
    CHECK(with.core->request_log().take_traces().empty());
    for (const engine::OperationStats& operation : with.core->stats().operations) CHECK(operation.counters.stage_us.empty());
}

}  // namespace
}  // namespace rankd
