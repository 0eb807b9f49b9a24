// `feedback` through a handle: from bodies to lines of the event log, and the answers in between.
#include <fstream>
#include <iterator>

#include "tests/engine_support.h"
#include "tests/temporary_folder.h"

namespace rankd {
namespace {

using namespace test;

CoreOptions logging_to(const std::filesystem::path& folder, store::Fsync fsync = store::Fsync::kInterval, unsigned threads = 0) {
    CoreOptions options = fake_options(threads);
    options.event_log = folder;
    options.event_log_options.segments.fsync = fsync;
    options.event_log_options.segments.unix_ms = [] { return int64_t{1'700'000'000'000}; };
    return options;
}

/// A body of HTTP, as JSON.
std::string ask(Handle& handle, const std::string& body, std::string_view target = "tiny") {
    const engine::BareBody bare{Operation::kFeedback, target, 0, "h1"};
    CHECK(handle.submit({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, wire::Codec::kJson, bare) >= 0);
    for (;;) {
        const engine::FlushResult flushed = handle.flush(1000);
        if (flushed.records.empty()) continue;
        const auto bytes = flushed.slab->bytes().subspan(flushed.records[1], flushed.records[2]);
        return {bytes.begin(), bytes.end()};
    }
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// What all segments of the folder hold.
std::string logged(const std::filesystem::path& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path());
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
}

TEST("an event is answered with the version it speaks to, and is in the log when the core has closed") {
    const TemporaryFolder folder;
    {
        WithCore with(logging_to(folder.path()));
        const auto handle = with.attach();
        const std::string answer =
            ask(*handle, R"({"request_id": 7, "user": "user-3", "item": "item-01", "event": "click", "value": 2})");
        CHECK(holds(answer, R"("request_id":"h1","model":"tiny","version":"1.0.0","degraded":[],"accepted":1,"timing")"));
    }
    CHECK_EQ(logged(folder.path()), R"({"time":1700000000000,"model":"tiny","version":"1.0.0","request_id":"7","user":"user-3",)"
                                    R"("item":"item-01","event":"click","value":2.0})"
                                    "\n");
}

TEST("of a batch of requests the wrong one is told, and the others are logged whole") {
    const TemporaryFolder folder;
    {
        WithCore with(logging_to(folder.path()));
        const auto handle = with.attach();
        CHECK(holds(ask(*handle, R"({"events": [{"item": "item-01", "event": "a"}, {"item": "item-02"}]})"), "events[1] has no"));
        CHECK(holds(ask(*handle, R"({"events": [{"item": "item-01", "event": "b"}, {"item": "item-02", "event": "c"}]})"),
                    R"("accepted":2)"));
        CHECK(holds(ask(*handle, R"({"item": 1, "event": "d"})", "scorer@1.0.0"), R"("model":"scorer")"));
        CHECK(holds(ask(*handle, R"({"item": 1, "event": "d"})", "nobody"), "UNKNOWN_MODEL"));
    }
    const std::string lines = logged(folder.path());
    CHECK_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
    CHECK(holds(lines, R"("item":"item-02","event":"c"})") && holds(lines, R"("model":"scorer")"));
}

TEST("an item that the bundle does not know is logged, and the answer says so") {
    const TemporaryFolder folder;
    {
        WithCore with(logging_to(folder.path()));
        const auto handle = with.attach();
        CHECK(holds(ask(*handle, R"({"user": "nobody-yet", "item": "item-01", "event": "a"})"), R"("degraded":[])"));
        CHECK(holds(ask(*handle, R"({"item": "newer than the bundle", "event": "a"})"),
                    R"("degraded":["unknown_items"],"accepted":1)"));
        CHECK(holds(ask(*handle, R"({"item": 17, "event": "a"})", "scorer"), R"("degraded":[])"));
    }
    CHECK(holds(logged(folder.path()), "newer than the bundle"));
}

TEST("without a log feedback is refused, and says which flag is missing") {
    WithCore with;
    const auto handle = with.attach();
    const std::string answer = ask(*handle, R"({"item": "item-01", "event": "click"})");
    CHECK(holds(answer, "UNSUPPORTED_OPERATION") && holds(answer, "--event-log <folder>"));
    CHECK(!with.core->stats().event_log);
}

TEST("models offer feedback, and it is counted, where there is a log") {
    const TemporaryFolder folder;
    WithCore with(logging_to(folder.path()));
    const auto handle = with.attach();
    ask(*handle, R"({"item": "item-01", "event": "click"})");
    const engine::CoreStats stats = with.core->stats();
    for (const engine::ModelInfo& model : stats.models) CHECK_EQ(model.operations.back(), "feedback");
    CHECK_EQ(stats.event_log->accepted, 1u);
    uint64_t requests = 0;
    for (const engine::OperationStats& operation : stats.operations)
        if (operation.operation == "feedback") requests += operation.counters.requests;
    CHECK_EQ(requests, 1u);
}

TEST("always: the line is on disk when the answer comes, from the workers where there are any") {
    for (const unsigned threads : {0u, 1u}) {
        const TemporaryFolder folder;
        WithCore with(logging_to(folder.path(), store::Fsync::kAlways, threads));
        const auto handle = with.attach();
        CHECK(holds(ask(*handle, R"({"item": "item-01", "event": "click"})"), R"("accepted":1)"));
        CHECK(holds(logged(folder.path()), R"("event":"click")"));
    }
}

TEST("a folder that cannot be written to fails feedback alone") {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "no folder";
    WithCore with(logging_to(folder.path() / "file" / "below"));
    const auto handle = with.attach();
    const std::string answer = ask(*handle, R"({"item": "item-01", "event": "click"})");
    CHECK(holds(answer, "EVENT_LOG_FAILED") && holds(answer, R"("retry_after_ms":1000)"));
    CHECK(!with.core->stats().event_log->fault.empty());
    handle->submit(frame(1, "tiny", "user-1"), wire::Codec::kMsgpack, {});
    const auto served = flush_all(*handle);
    CHECK_EQ(served.size(), 1u);
    CHECK_EQ(code_name(served[0].code), "OK");
}

TEST("events warm no later version: what users did is logged once") {
    const TemporaryFolder folder;
    WithCore with(logging_to(folder.path()));
    const auto handle = with.attach();
    ask(*handle, R"({"item": "item-01", "event": "click"})");
    CHECK_OK(with.core->load(fixture_model("tiny")));
    CHECK_EQ(with.core->stats().event_log->accepted, 1u);
}

}  // namespace
}  // namespace rankd
