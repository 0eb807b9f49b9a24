// In steady state a request allocates nothing between submit and the end of its flush: counted at operator new.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "tests/engine_support.h"
#include "tests/temporary_folder.h"
#include "wire/oip_answer.h"

namespace {

std::atomic<bool> is_counting{false};
std::atomic<size_t> allocations{0};

void* counted(size_t bytes, size_t alignment) {
    if (is_counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
    void* const block =
        alignment == 0 ? std::malloc(bytes) : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (block == nullptr) std::abort();
    return block;
}

}  // namespace

void* operator new(size_t bytes) {
    return counted(bytes, 0);
}
void* operator new[](size_t bytes) {
    return counted(bytes, 0);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, size_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, size_t, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, size_t, std::align_val_t) noexcept {
    std::free(block);
}

namespace rankd {
namespace {

using namespace test;

std::vector<uint8_t> rank_frame(uint64_t id, size_t candidates) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    writer.begin_list(8);
    writer.integer(1), writer.integer(static_cast<uint64_t>(Operation::kRank)), writer.integer(id), writer.text("tiny@1.0.0");
    writer.integer(1000), writer.nil(), writer.nil();
    writer.begin_map(2), writer.key("user"), writer.text("user-3");
    writer.key("candidates"), writer.begin_list(candidates);
    for (size_t i = 0; i < candidates; ++i) writer.text("item-" + std::to_string(i % 30));
    return {buffer.data(), buffer.data() + buffer.size()};
}

std::vector<uint8_t> score_frame(uint64_t id, size_t rows) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    writer.begin_list(8);
    writer.integer(1), writer.integer(static_cast<uint64_t>(Operation::kScore)), writer.integer(id), writer.text("scorer");
    writer.nil(), writer.nil(), writer.nil();
    const std::vector<float> values(rows * 4, 0.25f);
    writer.begin_map(1), writer.key("rows"), writer.binary(values.data(), values.size() * sizeof(float));
    return {buffer.data(), buffer.data() + buffer.size()};
}

/// What `turns` turns of these frames allocate, after as many that do not count.
size_t allocations_of(Handle& handle, const std::vector<std::vector<uint8_t>>& frames, int turns) {
    for (int turn = 0; turn < 2 * turns; ++turn) {
        if (turn == turns) {
            allocations = 0;
            is_counting = true;
        }
        for (const auto& bytes : frames) handle.submit(bytes, wire::Codec::kMsgpack, {});
        while (handle.flush(1000).more) {
        }
    }
    is_counting = false;
    return allocations;
}

TEST("in steady state recommend, rank and score allocate nothing, alone and in batches") {
    WithCore with;
    const auto handle = with.attach();
    for (const size_t batch : {1u, 16u}) {
        std::vector<std::vector<uint8_t>> recommend, rank, score;
        for (uint64_t id = 0; id < batch; ++id) {
            recommend.push_back(frame(id, "tiny", "user-" + std::to_string(id % 8), 1000));
            rank.push_back(rank_frame(id, 20));
            score.push_back(score_frame(id, 8));
        }
        CHECK_EQ(allocations_of(*handle, recommend, 200), 0u);
        CHECK_EQ(allocations_of(*handle, rank, 200), 0u);
        CHECK_EQ(allocations_of(*handle, score, 200), 0u);
    }
}

std::vector<uint8_t> feedback_frame(uint64_t id, size_t events) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    writer.begin_list(8);
    writer.integer(1), writer.integer(static_cast<uint64_t>(Operation::kFeedback)), writer.integer(id), writer.text("tiny");
    writer.nil(), writer.nil(), writer.nil();
    writer.begin_map(1), writer.key("events"), writer.begin_list(events);
    for (size_t i = 0; i < events; ++i) {
        writer.begin_map(3), writer.key("user"), writer.text("user-3"), writer.key("item"), writer.text("item-1");
        writer.key("event"), writer.text("click");
    }
    return {buffer.data(), buffer.data() + buffer.size()};
}

/// The log gathers until the end, so that its own thread, which writes, is not counted.
TEST("in steady state feedback allocates nothing until its lines wait to be written") {
    const TemporaryFolder folder;
    CoreOptions options = fake_options();
    options.event_log = folder.path();
    options.event_log_options.gather_ms = 3'600'000;
    WithCore with(options);
    const auto handle = with.attach();
    // Grows the buffer of what waits to what the test needs: 2 MB in one of 4.
    (void)allocations_of(*handle, {feedback_frame(1, 1000)}, 10);
    CHECK_EQ(allocations_of(*handle, {feedback_frame(1, 1), feedback_frame(2, 20)}, 50), 0u);
}

/// A request of two inputs, the second behind the JSON, as an answer of two outputs.
size_t allocations_of_oip(std::string_view json, size_t binary_bytes, int turns) {
    const wire::Limits limits;
    wire::RequestDecoder decoder(limits);
    Arena arena;
    ByteBuffer out;
    std::vector<uint8_t> body(json.size() + binary_bytes + wire::kBodyPadding);
    std::memcpy(body.data(), json.data(), json.size());
    const auto json_bytes = static_cast<uint32_t>(json.size());
    for (int turn = 0; turn < 2 * turns; ++turn) {
        allocations = 0;
        is_counting = turn >= turns;
        arena.reset();
        out.clear();
        wire::Request request;
        const std::span<const uint8_t> bytes(body.data(), json.size() + binary_bytes);
        (void)wire::peek_urgency(wire::oip_json(bytes, json_bytes));
        const Status status = decoder.decode(Operation::kInfer, wire::Codec::kOip, bytes, arena, request, {json_bytes, "m"});
        wire::Answer answer;
        answer.request = &request;
        answer.outputs = request.inputs;
        (void)wire::encode_oip_answer(answer, out);
        is_counting = false;
        CHECK_OK(status);
        if (allocations > 0) return allocations;
    }
    return 0;
}

TEST("in steady state an OIP body is read and answered without an allocation") {
    constexpr std::string_view kBody =
        R"({"id": "an id of more than fifteen bytes", "parameters": {"timeout": 5, "user": "u1"}, "inputs": [
        {"name": "a", "datatype": "BYTES", "shape": [2, 1], "data": [["a"], ["b"]]},
        {"name": "b", "datatype": "FP32", "shape": [8], "parameters": {"binary_data_size": 32}}],
        "outputs": [{"name": "a"}, {"name": "b", "parameters": {"binary_data": true}}]})";
    CHECK_EQ(allocations_of_oip(kBody, 32, 100), 0u);
}

}  // namespace
}  // namespace rankd
