// Cores and handles without Node: tickets settle once, the wrong request is told and the others served, threads share one core.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/engine_support.h"

namespace rankd {
namespace {

using namespace test;

Code only_code(const std::vector<Answer>& answers) {
    CHECK_EQ(answers.size(), 1u);
    return answers.empty() ? Code::INTERNAL : answers[0].code;
}

void check_code(Code actual, Code expected) {
    CHECK_EQ(code_name(actual), code_name(expected));
}

TEST("what one turn collected runs as one batch, and every ticket is settled once") {
    WithCore with;
    const auto handle = with.attach();
    std::vector<int32_t> tickets;
    for (uint64_t id = 0; id < 64; ++id)
        tickets.push_back(handle->submit(frame(id, "tiny", "user-" + std::to_string(id % 8)), wire::Codec::kMsgpack, {}));
    const uint64_t runs_before = FakeSessionControl::runs;
    const auto answers = flush_all(*handle);
    CHECK_EQ(FakeSessionControl::runs - runs_before, 2u);  // one run of the tower, one of the ranker
    CHECK_EQ(answers.size(), 64u);
    for (size_t i = 0; i < answers.size(); ++i) {
        CHECK_EQ(answers[i].ticket, static_cast<uint32_t>(tickets[i]));
        CHECK_EQ(answers[i].id, i);
        check_code(answers[i].code, Code::OK);
    }
    CHECK_EQ(flush_all(*handle).size(), 0u);
    CHECK_EQ(handle->open_count(), 0u);
    CHECK_EQ(with.core->stats().open_requests, 0u);
}

TEST("errors are answers with the request's id") {
    WithCore with;
    const auto handle = with.attach();
    const auto submit = [&](std::vector<uint8_t> bytes) {
        CHECK(handle->submit(bytes, wire::Codec::kMsgpack, {}) >= 0);
        return flush_all(*handle);
    };
    check_code(only_code(submit(frame(7, "nothing", "user-0"))), Code::UNKNOWN_MODEL);
    check_code(only_code(submit(frame(7, "tiny@2.0.0", "user-0"))), Code::UNKNOWN_VERSION);
    check_code(only_code(submit(frame(7, "tiny@blue", "user-0"))), Code::UNKNOWN_VERSION);
    check_code(only_code(submit(frame(7, "scorer", "user-0"))), Code::UNSUPPORTED_OPERATION);
    check_code(only_code(submit(frame(7, "tiny", "user-0", 0, Operation::kScore))), Code::INVALID_ARGUMENT);
    check_code(only_code(submit({0x93, 0x01})), Code::INVALID_FRAME);
    auto truncated = frame(9, "tiny", "user-0");
    truncated.resize(truncated.size() - 3);
    const auto answers = submit(truncated);
    check_code(only_code(answers), Code::INVALID_FRAME);
    CHECK_EQ(answers[0].id, 9u);
}

/// An `infer` frame for the scorer: rows as float32 [rows, 4] under `input`, with a shape of the caller's choice.
std::vector<uint8_t> infer_frame(const std::string& target, std::vector<uint64_t> shape, std::vector<float> rows,
                                 const std::string& input = "rows", const std::string& datatype = "FP32") {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    writer.begin_list(8);
    writer.integer(1), writer.integer(static_cast<uint64_t>(Operation::kInfer)), writer.integer(7), writer.text(target);
    writer.nil(), writer.nil(), writer.nil();
    writer.begin_map(1), writer.key("inputs"), writer.begin_list(1), writer.begin_map(4);
    writer.key("name"), writer.text(input), writer.key("datatype"), writer.text(datatype);
    writer.key("shape"), writer.begin_list(shape.size());
    for (const uint64_t dimension : shape) writer.integer(dimension);
    writer.key("data"), writer.binary(rows.data(), rows.size() * sizeof(float));
    return {buffer.data(), buffer.data() + buffer.size()};
}

TEST("infer runs the default graph on the caller's tensors, as score does on its rows") {
    WithCore with;
    const auto handle = with.attach();
    const auto ask = [&](const std::vector<uint8_t>& bytes) {
        CHECK(handle->submit(bytes, wire::Codec::kMsgpack, {}) >= 0);
        return flush_all(*handle);
    };
    const auto answers = ask(infer_frame("scorer", {2, 4}, {0, 0, 0, 0, 1, 0, 0, 0}));
    check_code(only_code(answers), Code::OK);
    const size_t data = answers[0].text.find(
        "\xa4"
        "data\xc4\x08");
    CHECK(data != std::string::npos);
    float scores[2];
    std::memcpy(scores, answers[0].text.data() + data + 7, sizeof(scores));
    CHECK(std::abs(scores[0] - 1 / (1 + std::exp(0.5f))) < 1e-6f);
    CHECK(std::abs(scores[1] - 1 / (1 + std::exp(-0.3f))) < 1e-6f);

    const auto refused = [&](const std::vector<uint8_t>& bytes, Code code, const std::string& part) {
        const auto refusal = ask(bytes);
        check_code(only_code(refusal), code);
        CHECK(refusal[0].text.find(part) != std::string::npos);
    };
    refused(infer_frame("scorer", {1, 4}, {0, 0, 0, 0}, "row"), Code::INVALID_ARGUMENT,
            "unexpected inference input 'row' for model 'scorer'; it has ['rows']");
    refused(infer_frame("scorer", {1, 4}, {0, 0, 0, 0}, "rows", "INT32"), Code::INVALID_ARGUMENT,
            "inference input 'rows' data-type is 'INT32', but model 'scorer' expects 'FP32'");
    refused(infer_frame("scorer", {1, 3}, {0, 0, 0}), Code::SHAPE_MISMATCH,
            "unexpected shape for input 'rows' for model 'scorer'. Expected [-1,4], got [1,3]");
    refused(infer_frame("scorer", {4}, {0, 0, 0, 0}), Code::SHAPE_MISMATCH, "Expected [-1,4], got [4]");
    FakeSessionControl::is_failing = true;
    refused(infer_frame("scorer", {1, 4}, {0, 0, 0, 0}), Code::MODEL_FAILED, "model 'scorer': the test wants");
    FakeSessionControl::is_failing = false;
}

TEST("a frame above the limit is refused as TOO_LARGE") {
    CoreOptions options = fake_options();
    options.limits.max_frame_bytes = 1000;
    WithCore with(options);
    const auto handle = with.attach();
    CHECK(handle->submit(frame(3, "tiny", std::string(2000, 'x')), wire::Codec::kMsgpack, {}) >= 0);
    const auto answers = flush_all(*handle);
    check_code(only_code(answers), Code::TOO_LARGE);
    CHECK_EQ(answers[0].id, 3u);
    CHECK(handle->submit(std::vector<uint8_t>(1001, ' '), wire::Codec::kJson,
                         engine::BareBody{Operation::kRecommend, "tiny", 0, "a"}) >= 0);
    CHECK_EQ(handle->flush(1000).records.size(), engine::kRecordLength);
}

TEST("aliases and partial versions find their version, the champion is the default") {
    WithCore with;
    const auto handle = with.attach();
    CHECK_OK(with.core->route("tiny", {{"champion", "1.0.0"}, {"blue", "1.0.0"}}));
    for (const char* target : {"tiny", "tiny@blue", "tiny@champion", "tiny@1", "tiny@1.0", "tiny@1.0.0"}) {
        handle->submit(frame(1, target, "user-0"), wire::Codec::kMsgpack, {});
        check_code(only_code(flush_all(*handle)), Code::OK);
    }
    CHECK_EQ(code_name(with.core->route("tiny", {{"champion", "3.0.0"}}).code()), "UNKNOWN_VERSION");
    CHECK_EQ(code_name(with.core->route("tin", {}).code()), "UNKNOWN_MODEL");
}

TEST("a passed deadline is answered without executing") {
    ManualClock clock;
    CoreOptions options = fake_options();
    options.clock = &clock;
    WithCore with(options);
    const auto handle = with.attach();
    handle->submit(frame(1, "tiny", "user-0", 10), wire::Codec::kMsgpack, {});
    handle->submit(frame(2, "tiny", "user-0", 50), wire::Codec::kMsgpack, {});
    clock.advance(20'000);
    const auto answers = flush_all(*handle);
    CHECK_EQ(answers.size(), 2u);
    check_code(answers[0].code, Code::DEADLINE_EXCEEDED);
    check_code(answers[1].code, Code::OK);
}

TEST("a cancelled ticket gets no answer, and its slot's next user is safe from it") {
    WithCore with;
    const auto handle = with.attach();
    const int32_t first = handle->submit(frame(1, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    const int32_t second = handle->submit(frame(2, "tiny", "user-1"), wire::Codec::kMsgpack, {});
    CHECK(handle->cancel(first));
    CHECK(!handle->cancel(first));
    const auto answers = flush_all(*handle);
    CHECK_EQ(answers.size(), 1u);
    CHECK_EQ(answers[0].ticket, static_cast<uint32_t>(second));
    const int32_t third = handle->submit(frame(3, "tiny", "user-2"), wire::Codec::kMsgpack, {});
    CHECK(!handle->cancel(first));
    CHECK(!handle->cancel(second));
    CHECK(!handle->cancel(-5));
    CHECK(third != first && third != second);
    CHECK_EQ(flush_all(*handle).size(), 1u);
}

TEST("beyond the queue's capacity requests are refused at once, with advice") {
    CoreOptions options = fake_options();
    options.queue_capacity = 4;
    WithCore with(options);
    const auto handle = with.attach();
    for (uint64_t id = 0; id < 8; ++id) CHECK(handle->submit(frame(id, "tiny", "user-0"), wire::Codec::kMsgpack, {}) >= 0);
    CHECK_EQ(handle->submit(frame(9, "tiny", "user-0"), wire::Codec::kMsgpack, {}), -static_cast<int32_t>(Code::OVERLOADED));
    const engine::FlushResult flushed = handle->flush(1'000'000);
    size_t refused = 0;
    for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
        const bool is_refused = (flushed.records[i + 3] & 0xFF) == static_cast<uint32_t>(Code::OVERLOADED);
        if (is_refused) CHECK(flushed.records[i + 3] >> 16 > 0);
        refused += is_refused;
    }
    CHECK_EQ(refused, 4u);
}

TEST("draining refuses what is new and finishes what was there") {
    WithCore with;
    const auto handle = with.attach();
    handle->submit(frame(1, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    with.core->drain();
    handle->submit(frame(2, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    for (const Answer& answer : flush_all(*handle)) check_code(answer.code, answer.id == 1 ? Code::OK : Code::DRAINING);
}

TEST("work that has proved long goes to the compute workers, short work stays on its thread") {
    WithCore with(fake_options(2));
    const auto handle = with.attach();
    std::atomic<int> wakes{0};
    handle->on_ready([&] { ++wakes; });
    handle->submit(frame(0, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    CHECK_EQ(flush_all(*handle).size(), 1u);  // nothing is known about it yet: it ran here
    FakeSessionControl::delay_us = 20'000;
    uint64_t id = 1;  // one might have been interrupted; a few teach that it is long
    do {
        handle->submit(frame(id++, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    } while (flush_all(*handle).size() == 1 && id < 10);
    CHECK(id < 10);
    for (int i = 0; i < 3; ++i) handle->submit(frame(id++, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    CHECK_EQ(flush_all(*handle).size(), 0u);
    const auto answers = wait_for(*handle, 4);
    FakeSessionControl::delay_us = 0;
    for (const Answer& answer : answers) check_code(answer.code, Code::OK);
    CHECK(wakes > 0);
}

TEST("closing answers what still waits for a worker, and may be repeated") {
    WithCore with(fake_options(1));
    const auto handle = with.attach();
    FakeSessionControl::delay_us = 20'000;
    handle->submit(frame(0, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    CHECK_EQ(flush_all(*handle).size(), 1u);  // ran here, and taught that it is long
    for (uint64_t id = 10; id < 20; ++id) handle->submit(frame(id, "tiny", "user-0"), wire::Codec::kMsgpack, {});
    handle->flush(1000);
    with.core->close();
    with.core->close();
    FakeSessionControl::delay_us = 0;
    CHECK_EQ(wait_for(*handle, 10).size(), 10u);
    CHECK_EQ(handle->submit(frame(1, "tiny", "user-0"), wire::Codec::kMsgpack, {}), -static_cast<int32_t>(Code::ENGINE_CLOSED));
    CHECK(!with.core->attach().is_ok());
    CHECK(!with.core->load(test::fixture_model("tiny")).is_ok());
    handle->detach();
    handle->detach();
}

TEST("a handle may leave while a worker holds its requests") {
    WithCore with(fake_options(1));
    {
        const auto handle = with.attach();
        FakeSessionControl::delay_us = 5'000;
        for (uint64_t id = 0; id < 6; ++id) {
            handle->submit(frame(id, "tiny", "user-0"), wire::Codec::kMsgpack, {});
            handle->flush(1000);
        }
        handle->detach();
    }
    with.core->close();
    FakeSessionControl::delay_us = 0;
    CHECK_EQ(with.core->stats().open_requests, 0u);
}

TEST("several threads use one core at once, while versions come and go and items are removed") {
    WithCore with(fake_options(2));
    std::atomic<bool> is_done{false};
    std::atomic<uint64_t> served{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            const auto handle = with.attach();
            while (!is_done) {
                for (uint64_t id = 0; id < 16; ++id)
                    handle->submit(frame(id, "tiny", "user-" + std::to_string(id % 8)), wire::Codec::kMsgpack, {});
                for (const Answer& answer : wait_for(*handle, 16)) served += answer.code == Code::OK;
            }
            handle->detach();
        });
    const std::vector<uint8_t> removal = {0x91, 0xa7, 'i', 't', 'e', 'm', '-', '3', '1'};
    for (int round = 0; round < 20; ++round) {
        uint32_t count = 0;
        CHECK_OK(with.core->load(test::fixture_model("tiny")));
        CHECK_OK(with.core->remove("tiny", removal, count));
        with.core->stats();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    is_done = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(served > 0);
}

TEST("loading and unloading leaves no session behind") {
    WithCore with;
    const int before = FakeSessionControl::open_sessions;
    for (int i = 0; i < 10; ++i) CHECK_OK(with.core->load(test::fixture_model("tiny")));
    CHECK_EQ(FakeSessionControl::open_sessions.load(), before);
    CHECK_OK(with.core->unload("tiny", "1.0.0"));
    while (FakeSessionControl::open_sessions != before - 2) std::this_thread::yield();
    CHECK_EQ(code_name(with.core->unload("tiny", "1.0.0").code()), "UNKNOWN_MODEL");
}

TEST("ONNX Runtime gives the fixtures' golden answers") {
    // Its threads and allocations are not instrumented, so the thread sanitizer runs without it.
    if (std::getenv("RANKD_TEST_NO_ORT") != nullptr) return;
    const auto core = Core::create(CoreOptions{});
    for (const char* name : {"tiny", "scorer"}) {
        const auto info = core->load(test::fixture_model(name));
        CHECK_OK(info);
        if (info.is_ok()) CHECK(info->golden_passed > 0);
    }
    core->close();
}

}  // namespace
}  // namespace rankd
