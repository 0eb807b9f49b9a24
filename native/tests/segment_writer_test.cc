// Lines on disk: whole, once, in segments of bounded size, synced as the policy says.
#include "store/segment_writer.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "store/event_line.h"
#include "tests/event_log_support.h"
#include "tests/temporary_folder.h"

namespace rankd::store {
namespace {

using namespace test;

struct Writing {
    explicit Writing(SegmentOptions options) : writer(folder, with_time(options), clock) {}
    static SegmentOptions with_time(SegmentOptions options) {
        options.unix_ms = a_fixed_time;
        return options;
    }
    /// @return the bytes that stand
    size_t write(std::string_view lines, Code expected = Code::OK) {
        size_t written = 0;
        const Status status = writer.write(bytes_of(lines), written);
        CHECK_EQ(code_name(status.code()), code_name(expected));
        return written;
    }

    FakeDisk disk;
    FakeFolder folder{disk};
    ManualClock clock;
    SegmentWriter writer;
};

std::string line_of(const LoggedEvent& event) {
    ByteBuffer out;
    append_line(event, out);
    return {out.bytes().begin(), out.bytes().end()};
}

TEST("a line has its fields in order, and none that the event has not") {
    LoggedEvent event{1700000000123, "packages", "1.0.0", {}, {}, wire::Id::of("vim"), "click", {}};
    CHECK_EQ(line_of(event), R"({"time":1700000000123,"model":"packages","version":"1.0.0","item":"vim","event":"click"})"
                             "\n");
    event.request_id = wire::Id::of(300);
    event.user = wire::Id::of(UINT64_MAX);
    event.value = 1.0;
    CHECK_EQ(line_of(event), R"({"time":1700000000123,"model":"packages","version":"1.0.0","request_id":"300",)"
                             R"("user":18446744073709551615,"item":"vim","event":"click","value":1.0})"
                             "\n");
}

TEST("what would end a line or a text is escaped, and what is no UTF-8 is replaced") {
    const std::string line = line_of({0, "m", "1", {}, wire::Id::of("a\"\\\n\r\t\x01"), wire::Id::of("\xc3\xa9\xff"), "e", {}});
    CHECK_EQ(line,
             "{\"time\":0,\"model\":\"m\",\"version\":\"1\",\"user\":\"a\\\"\\\\\\n\\r\\t\\u0001\",\"item\":"
             "\"\xc3\xa9\xef\xbf\xbd\",\"event\":\"e\"}\n");
    CHECK_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST("a value reads back as the same float64, and always as a float") {
    for (const double value : {0.0, -0.0, 5.0, 0.1, -1e-300, 1.7976931348623157e308, 4.9e-324, 123456789012345680.0}) {
        const std::string line = line_of({0, "m", "1", {}, {}, wire::Id::of(1), "e", value});
        const std::string digits = line.substr(line.rfind(':') + 1);
        CHECK_EQ(std::strtod(digits.c_str(), nullptr), value);
        CHECK(digits.find_first_of(".e") != std::string::npos);
    }
}

TEST("a segment is closed before it grows beyond its bound, and no line is cut") {
    Writing with({.segment_bytes = 10});
    CHECK_EQ(with.write("aaaa\nbbbb\ncccc\n"), 15u);
    CHECK_EQ(with.write("dd\n"), 3u);
    CHECK_EQ(with.disk.files.size(), 2u);
    CHECK_EQ(with.disk.files.begin()->second, "aaaa\nbbbb\n");
    CHECK_EQ(with.disk.files.rbegin()->second, "cccc\ndd\n");
    CHECK_EQ(with.writer.segments(), 2u);
    CHECK_EQ(with.writer.bytes(), 18u);
}

TEST("a line longer than a segment has one of its own") {
    Writing with({.segment_bytes = 4});
    CHECK_EQ(with.write("a\nbbbbbbbb\nc\n"), 13u);
    std::vector<std::string> contents;
    for (const auto& [name, content] : with.disk.files) contents.push_back(content);
    CHECK(contents == (std::vector<std::string>{"a\n", "bbbbbbbb\n", "c\n"}));
}

TEST("names stay in the order of the lines when the clock stands still") {
    Writing with({.segment_bytes = 2});
    with.write("a\nb\nc\n");
    CHECK_EQ(with.disk.text(), "a\nb\nc\n");
    CHECK(with.disk.files.begin()->first.starts_with("events-1700000000000-"));
    CHECK(with.disk.files.rbegin()->first.starts_with("events-1700000000002-"));
    CHECK(with.disk.files.begin()->first.ends_with(".jsonl"));
}

TEST("nothing is opened before there is something to write") {
    Writing with({});
    CHECK_OK(with.writer.prepare());
    CHECK_OK(with.writer.sync());
    CHECK_EQ(with.disk.files.size(), 0u);
}

TEST("of closed segments the newest stay within the bound, and other files are left alone") {
    Writing with({.segment_bytes = 2, .keep_bytes = 4});
    with.disk.files["events-notes.jsonl"] = "not ours";
    with.disk.files["events-1600000000000-7.jsonl"] = "of an earlier process\n";
    with.write("a\nb\nc\nd\n");
    CHECK_EQ(with.disk.text(), "b\nc\nd\nnot ours");
    CHECK_EQ(with.writer.removed_segments(), 2u);
}

TEST("never syncs nothing; always leaves it to whoever asks; an interval syncs once for all that it saw") {
    for (const Fsync fsync : {Fsync::kNever, Fsync::kAlways}) {
        Writing with({.fsync = fsync});
        with.write("a\n");
        with.clock.advance(10'000'000);
        CHECK_OK(with.writer.sync_if_due());
        CHECK(!with.writer.sync_due());
        CHECK_EQ(with.disk.syncs, 0u);
    }
    Writing with({.fsync = Fsync::kInterval, .sync_interval = 1000});
    with.write("a\n");
    with.clock.advance(900);
    with.write("b\n");
    CHECK_OK(with.writer.sync_if_due());
    CHECK_EQ(with.disk.syncs, 0u);
    with.clock.advance(100);
    CHECK_OK(with.writer.sync_if_due());
    CHECK_OK(with.writer.sync_if_due());
    CHECK_EQ(with.disk.syncs, 1u);
    CHECK(!with.writer.sync_due());
}

TEST("a segment is synced when it is closed, unless nothing is") {
    Writing with({.segment_bytes = 2}), never({.segment_bytes = 2, .fsync = Fsync::kNever});
    with.write("a\nb\n");
    never.write("a\nb\n");
    CHECK_EQ(with.disk.syncs, 1u);
    CHECK_EQ(never.disk.syncs, 0u);
}

TEST("after a failure the rest is written once, in the same segment") {
    Writing with({.segment_bytes = 4});
    with.disk.room = 4;
    CHECK_EQ(with.write("a\nb\nc\nd\n", Code::EVENT_LOG_FAILED), 4u);
    CHECK_EQ(with.write("c\nd\n", Code::EVENT_LOG_FAILED), 0u);
    with.disk.room = 100;
    CHECK_EQ(with.write("c\nd\n"), 4u);
    CHECK_EQ(with.disk.text(), "a\nb\nc\nd\n");
    CHECK_EQ(with.disk.files.size(), 2u);
}

TEST("a segment whose sync failed, or that was deleted, is written to no more") {
    Writing with({});
    with.write("a\n");
    with.disk.fails_to_sync = true;
    CHECK_EQ(code_name(with.writer.sync().code()), "EVENT_LOG_FAILED");
    CHECK(!with.writer.sync_due());
    with.write("b\n");
    with.disk.is_deleted = true;
    with.write("c\n");
    CHECK_EQ(with.disk.files.size(), 3u);
}

TEST("the file system: the folder is made, files are new, and what a torn line was part of is left to its reader") {
    const TemporaryFolder temporary;
    const auto path = temporary.path() / "made" / "here";
    const auto folder = segment_folder(path);
    CHECK_OK(folder->prepare());
    auto file = folder->create("events-1-2.jsonl");
    CHECK_OK(file);
    CHECK_OK((*file)->append(bytes_of("a\n")));
    CHECK_OK((*file)->sync());
    CHECK((*file)->is_usable());
    CHECK_EQ(code_name(folder->create("events-1-2.jsonl").status().code()), "EVENT_LOG_FAILED");
    // As a crash leaves it: the next process opens a segment of its own behind it.
    std::ofstream(path / "events-1-2.jsonl", std::ios::app) << R"({"time":)";
    SegmentWriter writer(*folder, {}, SteadyClock::instance());
    size_t written = 0;
    CHECK_OK(writer.write(bytes_of("b\n"), written));
    CHECK_EQ(folder->list().size(), 2u);
    std::filesystem::remove_all(path);
    CHECK(!(*file)->is_usable());
    CHECK_OK(writer.write(bytes_of("c\n"), written));
    CHECK_EQ(folder->list().size(), 1u);
}

/// A disk that is full after so many bytes of each file, as the system tells it.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST("the file system: what a full disk took of a write is cut off again") {
    const TemporaryFolder temporary;
    const auto folder = segment_folder(temporary.path());
    const auto file = std::move(folder->create("events-1-2.jsonl")).value();
    {
        const FileSizeLimit limit(5);
        CHECK_OK(file->append(bytes_of("a\n")));
        const Status status = file->append(bytes_of("bbbbbb\n"));
        CHECK_EQ(code_name(status.code()), "EVENT_LOG_FAILED");
        CHECK(status.message().find("File too large") != std::string::npos);
        CHECK(file->is_usable());
        CHECK_EQ(folder->list()[0].bytes, 2u);
    }
    CHECK_OK(file->append(bytes_of("bbbbbb\n")));
    CHECK_EQ(folder->list()[0].bytes, 9u);
}

TEST("the file system's reasons are told with the path") {
    const TemporaryFolder temporary;
    const auto file = temporary.path() / "file";
    std::ofstream(file) << "no folder";
    const Status status = segment_folder(file / "below")->prepare();
    CHECK_EQ(code_name(status.code()), "EVENT_LOG_FAILED");
    CHECK(status.message().find("Not a directory") != std::string::npos);
    CHECK(status.message().find(file.string()) != std::string::npos);
}

}  // namespace
}  // namespace rankd::store
