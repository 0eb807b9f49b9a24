// The event log: what is accepted is written, what cannot be is refused, and nobody waits for the disk who need not.
#include "store/event_log.h"

#include <thread>

#include "tests/event_log_support.h"

namespace rankd::store {
namespace {

using namespace test;

EventLogOptions options_of(Fsync fsync = Fsync::kInterval) {
    EventLogOptions options;
    options.segments.fsync = fsync;
    options.retry_ms = 1;
    options.gather_ms = 0;
    return options;
}

struct Logging {
    explicit Logging(const EventLogOptions& options = options_of(), bool is_writable = true)
        : log((disk.is_writable = is_writable, std::make_unique<FakeFolder>(disk)), options) {}

    Status append(std::string_view lines, uint32_t events = 1) {
        EventLog::Receipt receipt;
        RANKD_RETURN_IF_ERROR(log.append(bytes_of(lines), events, receipt));
        return log.wait(receipt);
    }
    template <typename Condition>
    void until(Condition condition) {
        while (!condition()) std::this_thread::yield();
    }

    FakeDisk disk;
    EventLog log;
};

TEST("lines of all threads are written whole, and counted") {
    Logging with;
    std::vector<std::thread> threads;
    for (char name = 'a'; name < 'e'; ++name)
        threads.emplace_back([&with, line = std::string(20, name) + '\n'] {
            for (int i = 0; i < 500; ++i) CHECK_OK(with.append(line + line, 2));
        });
    for (std::thread& thread : threads) thread.join();
    with.log.close();
    const std::string text = with.disk.text();
    CHECK_EQ(text.size(), 4u * 500 * 2 * 21);
    for (size_t at = 0; at < text.size(); at += 21) CHECK(text.substr(at, 21) == std::string(20, text[at]) + '\n');
    const EventLogStats stats = with.log.stats();
    CHECK_EQ(stats.accepted, 4000u);
    CHECK_EQ(stats.written_bytes, text.size());
    CHECK_EQ(stats.queued_bytes + stats.queued_events + stats.lost, 0u);
}

TEST("closing writes down what was accepted and syncs it, and takes no more") {
    EventLogOptions options = options_of();
    options.gather_ms = 60'000;  // nothing would be written for a minute
    Logging with(options);
    CHECK_OK(with.append("a\n"));
    with.log.close();
    with.log.close();
    CHECK_EQ(with.disk.text(), "a\n");
    CHECK_EQ(with.disk.syncs, 1u);
    CHECK_EQ(code_name(with.append("b\n").code()), "ENGINE_CLOSED");
}

TEST("never does not sync even at the end") {
    Logging with(options_of(Fsync::kNever));
    CHECK_OK(with.append("a\n"));
    with.log.close();
    CHECK_EQ(with.disk.text(), "a\n");
    CHECK_EQ(with.disk.syncs, 0u);
}

TEST("an interval syncs without another event") {
    EventLogOptions options = options_of();
    options.segments.sync_interval = 100;
    Logging with(options);
    CHECK_OK(with.append("a\n"));
    with.until([&] { return with.disk.locked([&] { return with.disk.syncs == 1; }); });
}

TEST("always accepts when the sync has returned") {
    Logging with(options_of(Fsync::kAlways));
    CHECK(with.log.is_synced());
    for (size_t i = 1; i <= 3; ++i) {
        CHECK_OK(with.append("a\n"));
        CHECK_EQ(with.disk.locked([&] { return with.disk.syncs; }), i);
    }
    CHECK_EQ(with.log.stats().accepted, 3u);
}

TEST("an empty queue takes a body larger than its bound") {
    EventLogOptions options = options_of();
    options.queue_bytes = 4;
    Logging with(options);
    CHECK_OK(with.append("longer than the queue\n"));
    with.log.close();
    CHECK_EQ(with.disk.text(), "longer than the queue\n");
}

TEST("a full queue refuses with advice") {
    EventLogOptions options = options_of();
    options.queue_bytes = 100;
    options.gather_ms = 60'000;
    Logging with(options);
    CHECK_OK(with.append(std::string(39, 'a') + '\n'));
    const Status status = with.append(std::string(69, 'b') + '\n', 3);
    CHECK_EQ(code_name(status.code()), "OVERLOADED");
    CHECK_EQ(status.retry_after_ms(), 100u);
    CHECK_EQ(with.log.stats().refused_full, 3u);
    CHECK_EQ(with.log.stats().queued_bytes, 40u);
    with.log.close();
    CHECK_EQ(with.disk.text().size(), 40u);
}

TEST("a folder that cannot be written to refuses events until it can") {
    Logging with(options_of(), false);
    const Status status = with.append("a\n");
    CHECK_EQ(code_name(status.code()), "EVENT_LOG_FAILED");
    CHECK_EQ(status.message(), "permission denied");
    CHECK_EQ(status.retry_after_ms(), 1u);
    CHECK_EQ(with.log.stats().refused_failed, 1u);
    CHECK_EQ(with.log.stats().fault, "permission denied");
    with.disk.locked([&] { with.disk.is_writable = true; });
    with.until([&] { return with.append("b\n").is_ok(); });
    with.log.close();
    CHECK_EQ(with.disk.text(), "b\n");
}

TEST("a full disk loses nothing that was accepted: it is written when there is room") {
    Logging with;
    with.disk.locked([&] { with.disk.room = 0; });
    CHECK_OK(with.append("a\n"));
    with.until([&] { return with.log.stats().failures > 1; });
    CHECK_EQ(code_name(with.append("b\n").code()), "EVENT_LOG_FAILED");
    CHECK_EQ(with.log.stats().queued_events, 1u);
    with.disk.locked([&] { with.disk.room = 100; });
    with.until([&] { return with.append("c\n").is_ok(); });
    with.log.close();
    CHECK_EQ(with.disk.text(), "a\nc\n");
    CHECK_EQ(with.log.stats().lost, 0u);
}

TEST("what no disk takes until the end is counted as lost") {
    EventLogOptions options = options_of();
    options.gather_ms = 60'000;
    Logging with(options);
    with.disk.locked([&] { with.disk.room = 0; });
    CHECK_OK(with.append("a\nb\n", 2));
    CHECK_OK(with.append("c\n"));
    with.log.close();
    CHECK_EQ(with.log.stats().lost, 3u);
}

TEST("with always, what the disk refuses is the caller's again and is not written later") {
    Logging with(options_of(Fsync::kAlways));
    with.disk.locked([&] { with.disk.room = 0; });
    CHECK_EQ(code_name(with.append("a\n", 2).code()), "EVENT_LOG_FAILED");
    with.disk.locked([&] { with.disk.room = 100, with.disk.fails_to_sync = true; });
    with.until([&] { return with.log.stats().fault.empty(); });
    CHECK_EQ(code_name(with.append("b\n").code()), "EVENT_LOG_FAILED");
    with.disk.locked([&] { with.disk.fails_to_sync = false; });
    with.until([&] { return with.append("c\n").is_ok(); });
    with.log.close();
    CHECK(with.disk.text().find('a') == std::string::npos);
    const EventLogStats stats = with.log.stats();
    CHECK_EQ(stats.accepted, 1u);
    CHECK(stats.refused_failed >= 3);
    CHECK_EQ(stats.lost, 0u);
}

TEST("with always, callers of one moment share a sync and each is told") {
    Logging with(options_of(Fsync::kAlways));
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&with] {
            for (int i = 0; i < 50; ++i) CHECK_OK(with.append("a\n"));
        });
    for (std::thread& thread : threads) thread.join();
    with.log.close();
    CHECK_EQ(with.log.stats().accepted, 400u);
    CHECK(with.disk.syncs <= 400u);
    CHECK_EQ(with.disk.text().size(), 800u);
}

}  // namespace
}  // namespace rankd::store
