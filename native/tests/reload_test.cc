// Versions come and go while requests are under way: each ends on the version it began with, and what nobody uses is freed.
#include <atomic>

#include "tests/engine_support.h"
#include "tests/versioned_fixture.h"

namespace rankd {
namespace {

using engine::Handle;
using test::Answer;
using test::FakeSessionControl;
using test::frame;

/// Sessions of one loaded `tiny`.
constexpr int kSessions = 2;

/// A core without models, and versions of `tiny` to load into it.
struct WithVersions {
    explicit WithVersions(unsigned compute_threads = 0) : core(engine::Core::create(test::fake_options(compute_threads))) {}
    ~WithVersions() { core->close(); }

    void load(const std::string& version) {
        std::filesystem::path folder = folder_.path() / version;
        if (!std::filesystem::exists(folder)) folder = test::versioned_fixture(folder_, version);
        CHECK_OK(core->load(folder));
    }
    std::shared_ptr<Handle> attach() { return std::move(core->attach()).value(); }
    int open_sessions() const { return FakeSessionControl::open_sessions - before_; }
    void wait_until_open(int count) const {
        while (open_sessions() != count) std::this_thread::yield();
    }

    std::shared_ptr<engine::Core> core;

  private:
    const int before_ = FakeSessionControl::open_sessions;
    test::TemporaryFolder folder_;
};

void ask(Handle& handle, const std::string& target = "tiny") {
    CHECK(handle.submit(frame(1, target, "user-1"), wire::Codec::kMsgpack, {}) >= 0);
}

std::string version_in(const Answer& answer) {
    const size_t at = answer.text.find("version\xa5");
    return at == std::string::npos ? answer.text : answer.text.substr(at + 8, 5);
}

TEST("a request ends on the version it began with, which is freed behind it") {
    WithVersions with;
    const auto handle = with.attach();
    with.load("1.0.0");
    ask(*handle);
    with.load("1.1.0");
    CHECK_OK(with.core->unload("tiny", "1.0.0"));
    ask(*handle);
    CHECK_EQ(with.open_sessions(), 2 * kSessions);
    const auto answers = test::flush_all(*handle);
    CHECK_EQ(answers.size(), 2u);
    CHECK_EQ(version_in(answers[0]), "1.0.0");
    CHECK_EQ(version_in(answers[1]), "1.1.0");
    with.wait_until_open(kSessions);
}

TEST("a thread that sleeps between turns keeps nothing") {
    WithVersions with;
    const auto handle = with.attach();
    with.load("1.0.0");
    ask(*handle);
    CHECK_EQ(test::flush_all(*handle).size(), 1u);
    with.load("1.0.0");
    CHECK_EQ(with.open_sessions(), kSessions);
}

TEST("a refused or cancelled request keeps nothing either, once its turn has ended") {
    WithVersions with;
    const auto handle = with.attach();
    with.load("1.0.0");
    ask(*handle, "tiny@7");
    CHECK(handle->cancel(handle->submit(frame(2, "tiny", "user-1"), wire::Codec::kMsgpack, {})));
    with.core->drain();
    ask(*handle);
    test::flush_all(*handle);
    CHECK_OK(with.core->unload("tiny", "1.0.0"));
    with.wait_until_open(0);
}

/// Makes `tiny` known as work that goes to the workers.
void teach_that_it_is_long(Handle& handle) {
    FakeSessionControl::delay_us = 20'000;
    ask(handle);
    CHECK_EQ(test::flush_all(handle).size(), 1u);
}

TEST("what a worker computes keeps its version until its answer has left") {
    WithVersions with(1);
    const auto handle = with.attach();
    with.load("1.0.0");
    teach_that_it_is_long(*handle);
    ask(*handle);
    CHECK_EQ(test::flush_all(*handle).size(), 0u);
    CHECK_OK(with.core->unload("tiny", "1.0.0"));
    CHECK_EQ(with.open_sessions(), kSessions);
    CHECK_EQ(version_in(test::wait_for(*handle, 1)[0]), "1.0.0");
    FakeSessionControl::delay_us = 0;
    with.wait_until_open(0);
}

TEST("a handle that leaves drops what it waits for, and what a worker computes for it when the worker is done") {
    WithVersions with(1);
    with.load("1.0.0");
    const auto handle = with.attach();
    teach_that_it_is_long(*handle);
    for (int i = 0; i < 3; ++i) {
        ask(*handle);
        handle->flush(1000);
    }
    ask(*handle);
    handle->detach();
    CHECK_OK(with.core->unload("tiny", "1.0.0"));
    // The test holds the handle all the while.
    with.wait_until_open(0);
    FakeSessionControl::delay_us = 0;
}

TEST("closing frees everything once the requests that were open have been answered") {
    WithVersions with;
    const auto handle = with.attach();
    with.load("1.0.0");
    ask(*handle);
    with.core->close();
    CHECK_EQ(with.open_sessions(), kSessions);
    const auto answers = test::flush_all(*handle);
    CHECK_EQ(answers.size(), 1u);
    CHECK_EQ(code_name(answers[0].code), "ENGINE_CLOSED");
    with.wait_until_open(0);
}

/// Asks in turns of a few requests until told to stop. @return requests that failed
uint64_t ask_until(const std::atomic<bool>& is_done, Handle& handle, std::atomic<uint64_t>& answered) {
    uint64_t failed = 0;
    while (!is_done) {
        for (int i = 0; i < 8; ++i) ask(handle);
        for (const Answer& answer : test::wait_for(handle, 8)) failed += answer.code != Code::OK;
        answered += 8;
    }
    handle.detach();
    return failed;
}

TEST("threads that ask without pause see versions loaded, moved and unloaded, and no request fails") {
    WithVersions with(2);
    with.load("1.0.0");
    std::atomic<bool> is_done{false};
    std::atomic<uint64_t> failed{0}, answered{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) threads.emplace_back([&] { failed += ask_until(is_done, *with.attach(), answered); });
    for (int round = 1; round <= 20; ++round) {
        const std::string before = "1.0." + std::to_string(round - 1), next = "1.0." + std::to_string(round);
        const uint64_t seen = answered;
        with.load(next);
        CHECK_OK(with.core->route("tiny", {{"champion", before}}));
        CHECK_OK(with.core->route("tiny", {{"champion", next}}));
        CHECK_OK(with.core->unload("tiny", before));
        with.load(next);
        with.core->stats();
        while (answered < seen + 16) std::this_thread::yield();
    }
    is_done = true;
    for (std::thread& thread : threads) thread.join();
    CHECK_EQ(failed.load(), 0u);
    with.wait_until_open(kSessions);
}

TEST("what serves is recorded, and warms the next version") {
    WithVersions with;
    with.load("1.0.0");
    const uint32_t golden_only = with.core->stats().models[0].warmed_requests;
    const auto handle = with.attach();
    for (int i = 0; i < 100; ++i) ask(*handle);
    CHECK_EQ(test::flush_all(*handle).size(), 100u);
    with.load("1.1.0");
    const auto models = with.core->stats().models;
    CHECK_EQ(models.size(), 2u);
    CHECK(models[1].warmed_requests > golden_only);
    CHECK_EQ(models[1].warmed_failures, 0u);
}

}  // namespace
}  // namespace rankd
