// How long a model lets requests wait, how many, and what its warm-up must answer.
#include "engine/queue_policy.h"

#include "tests/engine_support.h"
#include "tests/wire_support.h"

namespace rankd {
namespace {

using namespace test;
using engine::QueueWish;
using engine::within_policy;
using pipeline::QueueSpec;

Micros timeout(const QueueSpec& queue, Micros wished) {
    return within_policy(queue, {wished, 0}).timeout_us;
}

TEST("a request may ask for less time than the model's default, where the model lets it") {
    QueueSpec queue;
    CHECK_EQ(timeout(queue, 0), 0);
    CHECK_EQ(timeout(queue, 500), 500);
    queue.default_timeout_us = 1000;
    CHECK_EQ(timeout(queue, 0), 1000);
    CHECK_EQ(timeout(queue, 500), 500);
    CHECK_EQ(timeout(queue, 2000), 1000);
    queue.allow_timeout_override = false;
    CHECK_EQ(timeout(queue, 500), 1000);
    queue.delays_late_requests = true;
    CHECK_EQ(timeout(queue, 500), 0);
}

TEST("the model's priority is that of requests without one") {
    QueueSpec queue;
    queue.default_priority = 2;
    CHECK_EQ(int{within_policy(queue, {0, 0}).priority}, 2);
    CHECK_EQ(int{within_policy(queue, {0, 7}).priority}, 7);
}

/// The scorer with an `infer` section, asked through one handle on a clock that stands.
class WithQueue {
  public:
    explicit WithQueue(const std::string& infer) : core_(engine::Core::create(options())) {
        loaded = core_->load(fixture_model("scorer"), manifest_with("scorer", R"("infer": )" + infer)).status();
        if (loaded.is_ok()) handle_ = std::move(core_->attach()).value();
    }
    ~WithQueue() {
        handle_.reset();
        core_->close();
    }

    void submit() {
        const std::string body = R"({"inputs": [{"name": "rows", "datatype": "FP32", "shape": [1, 4], "data": [0, 0, 0, 0]}]})";
        CHECK(handle_->submit(from_text(body), wire::Codec::kOip, engine::BareBody{Operation::kInfer, "scorer", 0, {}}) >= 0);
    }
    /// The codes of all that was submitted, refusals first.
    std::string flush() {
        std::string codes;
        const engine::FlushResult flushed = handle_->flush(1'000'000);
        for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
            codes += (codes.empty() ? "" : " ") + std::string(code_name(static_cast<Code>(flushed.records[i + 3] & 0xFF)));
            last.assign(flushed.slab->bytes().begin() + flushed.records[i + 1],
                        flushed.slab->bytes().begin() + flushed.records[i + 1] + flushed.records[i + 2]);
            if (i == 0) first = last;
        }
        return codes;
    }

    ManualClock clock;
    Status loaded;
    std::string first, last;

  private:
    CoreOptions options() {
        CoreOptions options = fake_options();
        options.clock = &clock;
        options.observe = false;
        return options;
    }
    std::shared_ptr<engine::Core> core_;
    std::shared_ptr<Handle> handle_;
};

TEST("a model's bound on its queue refuses what comes beyond it, and holds no longer than the queue") {
    WithQueue with(R"({"queue": {"max_size": 2}})");
    for (int turn = 0; turn < 2; ++turn) {
        for (int i = 0; i < 3; ++i) with.submit();
        CHECK_EQ(with.flush(), "OVERLOADED OK OK");
        CHECK(contains(with.first, "Exceeds maximum queue size: 2 requests wait for 'scorer'"));
    }
}

TEST("the model's default timeout ends requests that bring none, unless it puts up with late ones") {
    WithQueue rejecting(R"({"queue": {"default_timeout_us": 1000}})");
    rejecting.submit();
    rejecting.clock.advance(1500);
    CHECK_EQ(rejecting.flush(), "DEADLINE_EXCEEDED");
    WithQueue delaying(R"({"queue": {"default_timeout_us": 1000, "timeout_action": "delay"}})");
    delaying.submit();
    delaying.clock.advance(1500);
    CHECK_EQ(delaying.flush(), "OK");
}

TEST("a model that cannot answer its own warm-up is not loaded") {
    const auto loaded = [](const std::string& shape) {
        return WithQueue(R"({"warmup": [{"inputs": [{"name": "rows", "datatype": "FP32", "shape": )" + shape +
                         R"(, "data": [0, 1, 2, 3]}]}]})")
            .loaded;
    };
    CHECK_OK(loaded("[1, 4]"));
    const Status status = loaded("[4]");
    CHECK_EQ(code_name(status.code()), "BUNDLE_INVALID");
    CHECK(contains(status.message(), "infer.warmup[0]: unexpected shape for input 'rows'"));
}

}  // namespace
}  // namespace rankd
