// The turn of an I/O thread on a clock that only computing moves: slices, streams, deadlines, the door, and shared work.
#include <cmath>
#include <cstring>

#include "tests/engine_support.h"

namespace rankd {
namespace {

using namespace test;

/// The scorer on a core whose time passes by `us_per_row` for each row that a graph scores, and not otherwise.
class OnOwnTime {
  public:
    explicit OnOwnTime(double us_per_row, CoreOptions options = fake_options()) : with_(on(clock, std::move(options))) {
        handle = with_.attach();
        FakeSessionControl::on_run = [this, us_per_row](int64_t rows) {
            runs.push_back(rows);
            clock.advance(static_cast<Micros>(us_per_row * static_cast<double>(rows)));
        };
    }
    ~OnOwnTime() { FakeSessionControl::on_run = nullptr; }

    /// Two batches of a size teach what a row costs, and how many bytes it has.
    void learn(size_t rows) {
        for (int i = 0; i < 2; ++i) {
            submit(1000, rows);
            flush_all(*handle);
        }
        runs.clear();
    }

    int32_t submit(uint64_t id, size_t rows, uint32_t deadline_ms = 0, bool stream = false, uint64_t priority = 0) {
        ByteBuffer buffer;
        wire::MsgpackWriter writer(buffer);
        writer.begin_list(8);
        writer.integer(1), writer.integer(static_cast<uint64_t>(Operation::kScore)), writer.integer(id), writer.text("scorer");
        deadline_ms == 0 ? writer.nil() : writer.integer(deadline_ms);
        priority == 0 ? writer.nil() : writer.integer(priority);
        writer.nil();
        writer.begin_map(stream ? 2 : 1);
        writer.key("rows");
        std::vector<float> values(rows * 4);
        for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((id + i) % 7) / 7;
        writer.binary(values.data(), values.size() * sizeof(float));
        if (stream) writer.key("stream"), writer.boolean(true);
        return handle->submit({buffer.data(), buffer.size()}, wire::Codec::kMsgpack, {});
    }

    ManualClock clock;
    std::shared_ptr<Handle> handle;
    std::vector<int64_t> runs;  ///< rows of each run of a graph

  private:
    static CoreOptions on(const Clock& clock, CoreOptions options) {
        options.clock = &clock;
        return options;
    }
    WithCore with_;
};

std::vector<uint64_t> ids(const std::vector<Answer>& answers) {
    std::vector<uint64_t> all;
    for (const Answer& answer : answers) all.push_back(answer.id);
    return all;
}

TEST("a large request is computed in slices, and small ones that come meanwhile pass it") {
    OnOwnTime server(1);
    server.learn(100);
    server.submit(1, 5000);
    CHECK_EQ(server.handle->flush(1000).records.size(), 0u);
    CHECK(server.runs.size() >= 3);
    for (const int64_t rows : server.runs) CHECK(rows <= 512);
    server.submit(2, 100);
    const auto answers = answers_of(server.handle->flush(1000));
    CHECK(ids(answers) == std::vector<uint64_t>{2});
    const auto rest = flush_all(*server.handle);
    CHECK(ids(rest) == std::vector<uint64_t>{1});
    CHECK(rest.empty() || rest[0].text.size() > 5000 * sizeof(float));
}

TEST("large requests end although small ones never stop coming") {
    OnOwnTime server(1);
    server.learn(100);
    server.submit(1, 4000);
    bool is_answered = false;
    int turns = 0;
    for (; !is_answered && turns < 500; ++turns) {
        for (uint64_t i = 0; i < 8; ++i) server.submit(100 + i, 100);  // 800 of the turn's 1,000 µs
        for (const Answer& answer : answers_of(server.handle->flush(1000))) is_answered |= answer.id == 1;
    }
    CHECK(is_answered);
    CHECK(turns < 100);
}

TEST("a large request with a deadline is pressed when it must be, and is in time") {
    OnOwnTime server(1);
    server.learn(100);
    server.submit(1, 4000, 30);
    const Micros started = server.clock.now();
    bool is_answered = false;
    while (!is_answered && server.clock.now() - started < 100'000) {
        for (uint64_t i = 0; i < 20; ++i) server.submit(100 + i, 100, 1000);  // twice what fits: the queue is never empty
        for (const Answer& answer : answers_of(server.handle->flush(1000)))
            is_answered |= answer.id == 1 && answer.code == Code::OK;
    }
    CHECK(is_answered);
    CHECK(server.clock.now() - started <= 30'000);
}

TEST("a stream is the whole answer in parts, each as it is ready") {
    OnOwnTime server(1);
    server.learn(100);
    server.submit(7, 3000);
    const auto whole = flush_all(*server.handle);
    server.submit(7, 3000, 0, true);
    std::vector<engine::FlushResult> flushes;
    std::string joined;
    size_t parts = 0, last = 0;
    for (bool more = true; more;) {
        const engine::FlushResult flushed = server.handle->flush(500);
        more = flushed.more;
        for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
            ++parts;
            last += (flushed.records[i + 3] & 0x100) != 0;
            CHECK((flushed.records[i + 3] & 0x200) != 0);
            const std::string_view text(reinterpret_cast<const char*>(flushed.slab->data()) + flushed.records[i + 1],
                                        flushed.records[i + 2]);
            // bin 16: two bytes of length, then the scores; bin 8 for a short last part.
            const size_t scores = text.find("\xa6scores");
            const bool is_short = text[scores + 7] == '\xc4';
            const size_t length = is_short
                                      ? static_cast<uint8_t>(text[scores + 8])
                                      : static_cast<uint8_t>(text[scores + 8]) * 256u + static_cast<uint8_t>(text[scores + 9]);
            joined += text.substr(scores + (is_short ? 9 : 10), length);
        }
    }
    CHECK(parts > 5);
    CHECK_EQ(last, 1u);
    CHECK_EQ(joined.size(), 3000 * sizeof(float));
    CHECK(whole.size() == 1 && whole[0].text.find(joined) != std::string::npos);
}

TEST("what is cancelled half-way is not computed to its end") {
    OnOwnTime server(1);
    server.learn(100);
    const int32_t ticket = server.submit(1, 5000);
    server.handle->flush(1000);
    const size_t before = server.runs.size();
    CHECK(server.handle->cancel(ticket));
    CHECK_EQ(flush_all(*server.handle).size(), 0u);
    CHECK_EQ(server.runs.size(), before);
    CHECK_EQ(server.handle->open_count(), 0u);
}

TEST("the earliest deadline goes first, and priority moves it") {
    OnOwnTime server(10);
    server.learn(50);
    server.submit(1, 50, 300);
    server.submit(2, 50, 100);
    server.submit(3, 50, 200);
    server.submit(4, 50, 320, false, 1);  // 40 ms more urgent than its deadline says
    std::vector<uint64_t> order;
    for (bool more = true; more;) {
        const engine::FlushResult flushed = server.handle->flush(1);
        more = flushed.more;
        for (const uint64_t id : ids(answers_of(flushed))) order.push_back(id);
    }
    CHECK(order == (std::vector<uint64_t>{2, 3, 4, 1}));
}

TEST("a turn computes for its budget, then looks at its sockets again") {
    OnOwnTime server(1);
    server.learn(100);
    for (uint64_t id = 0; id < 40; ++id) server.submit(id, 100);
    const Micros before = server.clock.now();
    const engine::FlushResult flushed = server.handle->flush(1000);
    CHECK(flushed.more);
    CHECK_EQ(flushed.records.size(), 10 * engine::kRecordLength);
    CHECK_EQ(server.clock.now() - before, 1000);
}

TEST("what would be too late is refused at the door, and nobody who was let in is late") {
    OnOwnTime server(10);
    server.learn(100);
    for (uint64_t id = 0; id < 40; ++id) server.submit(id, 100, 20);  // 1 ms each, 20 ms of time of which 12 are ours
    size_t answered = 0, refused = 0;
    for (const Answer& answer : flush_all(*server.handle)) {
        answered += answer.code == Code::OK;
        refused += answer.code == Code::OVERLOADED;
        if (answer.code == Code::OVERLOADED) CHECK(answer.text.find("retry_after_ms") != std::string::npos);
    }
    CHECK_EQ(answered + refused, 40u);
    CHECK(answered >= 10 && answered <= 12);
}

TEST("without a deadline a request may be expected to wait for max_wait_ms") {
    CoreOptions options = fake_options();
    options.max_wait_ms = 10;
    OnOwnTime server(10, options);
    server.learn(100);
    for (uint64_t id = 0; id < 40; ++id) server.submit(id, 100);
    size_t answered = 0;
    for (const Answer& answer : flush_all(*server.handle)) answered += answer.code == Code::OK;
    CHECK(answered >= 8 && answered <= 11);
}

TEST("a burst for a model of unknown cost teaches nothing false about how fast the queue goes") {
    OnOwnTime server(10);
    for (uint64_t id = 0; id < 200; ++id) server.submit(id, 100);  // 1 ms each, which nobody knows yet
    CHECK_EQ(flush_all(*server.handle).size(), 200u);
    for (uint64_t id = 0; id < 100; ++id) server.submit(id, 100);
    for (const Answer& answer : flush_all(*server.handle)) CHECK_EQ(code_name(answer.code), "OK");
}

TEST("an estimate that was far too high is forgotten: with nothing waiting, a request is always tried") {
    OnOwnTime server(1000);
    server.learn(100);  // 100 ms a request
    FakeSessionControl::on_run = [&](int64_t) { server.clock.advance(100); };
    size_t answered = 0;
    for (uint64_t id = 0; id < 60; ++id) {
        server.submit(id, 100, 20);
        for (const Answer& answer : flush_all(*server.handle)) answered += answer.code == Code::OK;
    }
    CHECK_EQ(answered, 60u);
    for (uint64_t id = 0; id < 5; ++id) server.submit(id, 100, 20);
    for (const Answer& answer : flush_all(*server.handle)) answered += answer.code == Code::OK;
    CHECK_EQ(answered, 65u);
}

TEST("a turn with too much work shares it with workers that have a core of their own") {
    CoreOptions options = fake_options(2);
    options.workers_have_cores = true;
    WithCore with(options);
    const auto handle = with.attach();
    FakeSessionControl::delay_us = 300;
    const auto ask = [&](uint64_t count) {
        for (uint64_t id = 0; id < count; ++id) handle->submit(frame(id, "tiny", "user-0", 10'000), wire::Codec::kMsgpack, {});
        return wait_for(*handle, count);
    };
    for (int i = 0; i < 10; ++i) ask(1);
    std::atomic<int> wakes{0};
    handle->on_ready([&] { ++wakes; });
    for (const Answer& answer : ask(64)) CHECK_EQ(code_name(answer.code), "OK");
    FakeSessionControl::delay_us = 0;
    CHECK(wakes > 0);
    handle->on_ready(nullptr);
}

}  // namespace
}  // namespace rankd
