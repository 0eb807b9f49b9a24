// The response cache: what makes two requests the same, what is kept and for how long, and that a key is computed by one thread.
#include "engine/response_cache.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <thread>

#include "tests/test.h"

namespace rankd {
namespace {

using engine::CachedResponse;
using engine::CachedResponsePtr;
using engine::response_key;
using engine::ResponseCache;
using engine::ResponseKey;
using wire::NamedTensor;

constexpr Micros kLong = 60'000'000;

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// A request with two inputs that a test changes in one place.
struct Asked {
    std::vector<int64_t> a_shape = {2, 2}, b_shape = {4};
    std::vector<NamedTensor> inputs = {{"a", ElementType::kU8, a_shape, bytes_of("abcd")},
                                       {"b", ElementType::kI8, b_shape, bytes_of("efgh")}};
    std::vector<wire::WantedOutput> outputs = {{"x", false, 0}, {"y", false, 3}};
    uint64_t parameters = 0;

    /// Views into this.
    wire::Request request() const {
        wire::Request request;
        request.operation = wire::Operation::kInfer;
        request.inputs = inputs;
        request.outputs = outputs;
        request.parameters = parameters;
        return request;
    }
    ResponseKey key(uint64_t generation = 1) const {
        Arena arena;
        return response_key(generation, request(), arena);
    }
};

TEST("inputs in another order, an id and the form of the answer make no other key") {
    Asked asked;
    std::reverse(asked.inputs.begin(), asked.inputs.end());
    asked.outputs[0].is_binary = true;
    CHECK(asked.key() == Asked().key());
    const Asked plain;
    wire::Request named = plain.request();
    named.id = "42";
    named.has_id = true;
    named.wants_binary = true;
    Arena arena;
    CHECK(response_key(1, named, arena) == plain.key());
}

TEST("whatever an answer depends on makes another key") {
    const std::vector<std::function<void(Asked&)>> changes = {
        [](Asked& asked) { asked.inputs[0].name = "c"; },
        [](Asked& asked) { asked.inputs[0].type = ElementType::kBool; },
        [](Asked& asked) { asked.a_shape = {4, 1}, asked.inputs[0].shape = asked.a_shape; },
        [](Asked& asked) { asked.a_shape = {2, 2, 1}, asked.inputs[0].shape = asked.a_shape; },
        [](Asked& asked) { asked.inputs[0].data = bytes_of("abce"); },
        [](Asked& asked) { asked.inputs[0].data = bytes_of("abcde"), asked.inputs[1].data = bytes_of("fgh"); },
        [](Asked& asked) { std::swap(asked.inputs[0].data, asked.inputs[1].data); },
        [](Asked& asked) { asked.inputs.pop_back(); },
        [](Asked& asked) { asked.outputs.pop_back(); },
        [](Asked& asked) { asked.outputs.clear(); },
        [](Asked& asked) { std::swap(asked.outputs[0], asked.outputs[1]); },
        [](Asked& asked) { asked.outputs[1].classes = 2; },
        [](Asked& asked) { asked.outputs[0].name = "z"; },
        [](Asked& asked) { asked.parameters = 1; },
    };
    std::vector<ResponseKey> keys = {Asked().key(), Asked().key(2)};
    for (const auto& change : changes) {
        Asked asked;
        change(asked);
        keys.push_back(asked.key());
    }
    wire::Request raw;
    raw.has_raw_input = true;
    raw.raw_input = bytes_of("abcd");
    Arena arena;
    keys.push_back(response_key(1, raw, arena));
    for (size_t i = 0; i < keys.size(); ++i)
        for (size_t j = 0; j < i; ++j) CHECK(!(keys[i] == keys[j]));
}

TEST("a kept response is a copy of everything") {
    std::vector<int64_t> shape = {1, 3};
    std::string name = "scores", data = "\x7f\xc0\x01";
    const std::vector<NamedTensor> outputs = {{name, ElementType::kU8, shape, bytes_of(data)},
                                              {"empty", ElementType::kBytes, {}, {}}};
    const CachedResponse kept(outputs);
    shape[0] = 9, name = "gone..", data = "...";
    CHECK_EQ(kept.outputs().size(), 2u);
    const NamedTensor& first = kept.outputs()[0];
    CHECK_EQ(first.name, "scores");
    CHECK(first.type == ElementType::kU8);
    CHECK_EQ(first.shape[0], 1);
    CHECK_EQ(first.shape[1], 3);
    CHECK(std::ranges::equal(first.data, bytes_of("\x7f\xc0\x01")));
    CHECK_EQ(kept.outputs()[1].name, "empty");
    CHECK(kept.outputs()[1].shape.empty() && kept.outputs()[1].data.empty());
}

/// Keys and responses that name each other.
ResponseKey key_of(uint64_t number, uint64_t generation = 1) {
    return {generation, {number * 0x9E3779B97F4A7C15u, number}};
}
CachedResponsePtr response_of(uint64_t number, size_t bytes = 8) {
    std::string data = std::to_string(number);
    data.resize(std::max(bytes, data.size()), ' ');
    const NamedTensor output{"y", ElementType::kU8, {}, bytes_of(data)};
    return std::make_shared<const CachedResponse>(std::span(&output, 1));
}
uint64_t number_in(const CachedResponse& response) {
    const auto data = response.outputs()[0].data;
    return std::stoull(std::string(data.begin(), data.end()));
}

struct OneCache {
    explicit OneCache(uint64_t capacity_bytes = 1 << 20, Micros ttl = 0) : cache(capacity_bytes, ttl, clock) {}

    /// Asks and, when nothing is there, computes. @return whether it was there
    bool ask(uint64_t number, uint64_t generation = 1, size_t bytes = 8) {
        ResponseCache::Found found = cache.look_up(key_of(number, generation));
        if (found.claim) found.claim->publish(response_of(number, bytes));
        if (found.response) CHECK_EQ(number_in(*found.response), number);
        return found.response != nullptr;
    }

    ManualClock clock;
    ResponseCache cache;
};

TEST("what was published is found, under its model's generation alone") {
    OneCache with;
    CHECK(!with.ask(7));
    CHECK(with.ask(7));
    CHECK(!with.ask(7, 2));
    CHECK(with.ask(7, 2));
    CHECK_EQ(with.cache.usage().entries, 2u);
}

TEST("the capacity holds, and the least recently used goes first: the same as an obvious list") {
    constexpr uint64_t kCapacity = 20'000;
    std::mt19937 random(3);
    OneCache with(kCapacity);
    struct Kept {
        uint64_t number, bytes;
    };
    std::vector<Kept> oldest_first;
    // What one entry takes beside its data, as the cache itself counts it.
    OneCache probe;
    probe.ask(1, 1, 8);
    const uint64_t overhead = probe.cache.usage().bytes - 8;
    for (int i = 0; i < 5000; ++i) {
        const uint64_t number = random() % 60, bytes = 8 + number * 40;
        const auto kept =
            std::find_if(oldest_first.begin(), oldest_first.end(), [&](const Kept& one) { return one.number == number; });
        CHECK_EQ(with.ask(number, 1, bytes), kept != oldest_first.end());
        if (kept != oldest_first.end()) oldest_first.erase(kept);
        oldest_first.push_back({number, bytes + overhead});
        const auto total = [&] {
            uint64_t sum = 0;
            for (const Kept& one : oldest_first) sum += one.bytes;
            return sum;
        };
        while (total() > kCapacity) oldest_first.erase(oldest_first.begin());
        CHECK_EQ(with.cache.usage().bytes, total());
    }
    CHECK(with.cache.usage().evictions > 0);
}

TEST("a response is kept as long as it may, not a moment more") {
    OneCache with(1 << 20, 1000);
    with.ask(1);
    with.clock.advance(999);
    CHECK(with.ask(1));
    with.clock.advance(1);
    CHECK(!with.ask(1));
    CHECK(with.ask(1));
    CHECK_EQ(with.cache.usage().entries, 1u);
}

TEST("a model that goes takes its responses with it, however many, and no others") {
    OneCache with(64 << 20);
    for (uint64_t i = 0; i < 3000; ++i) with.ask(i, 1 + i % 2);
    with.cache.drop(1);
    CHECK_EQ(with.cache.usage().entries, 1500u);
    for (uint64_t i = 1; i < 3000; i += 2) CHECK(with.ask(i, 2));
    with.cache.drop(2);
    CHECK_EQ(with.cache.usage().entries + with.cache.usage().bytes, 0u);
}

TEST("what does not fit is not kept, and pushes nothing out") {
    OneCache with(4096);
    with.ask(1);
    CHECK(!with.ask(2, 1, 5000));
    CHECK(!with.ask(2, 1, 5000));
    CHECK(with.ask(1));
}

TEST("who comes while a response is computed gets it when it is there, also when it is too large to be kept") {
    for (const size_t bytes : {size_t{8}, size_t{5000}}) {
        OneCache with(4096);
        auto first = with.cache.look_up(key_of(1));
        const auto second = with.cache.look_up(key_of(1));
        CHECK(first.claim && second.flight && !second.claim && !second.response);
        std::thread computing([&] { first.claim->publish(response_of(1, bytes)); });
        const CachedResponsePtr response = second.flight->wait_for(kLong);
        computing.join();
        CHECK(response != nullptr && number_in(*response) == 1);
    }
}

TEST("a claim that goes without a response is given up, and the next to ask may compute") {
    OneCache with;
    std::shared_ptr<engine::Flight> flight;
    {
        const auto first = with.cache.look_up(key_of(1));
        flight = with.cache.look_up(key_of(1)).flight;
        CHECK(flight->wait_for(0) == nullptr);
    }
    CHECK(flight->wait_for(kLong) == nullptr);
    CHECK(with.cache.look_up(key_of(1)).claim.has_value());
    CHECK_EQ(with.cache.usage().entries, 0u);
}

TEST("many threads that ask the same keys at once compute each of them once") {
    constexpr size_t kThreads = 8, kKeys = 64;
    OneCache with;
    std::array<std::atomic<int>, kKeys> computed{};
    std::barrier together(kThreads);
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            for (uint64_t key = 0; key < kKeys; ++key) {
                together.arrive_and_wait();
                auto found = with.cache.look_up(key_of(key));
                if (found.claim) {
                    ++computed[key];
                    std::this_thread::yield();
                    found.claim->publish(response_of(key));
                } else {
                    const CachedResponsePtr response = found.response ? found.response : found.flight->wait_for(kLong);
                    CHECK(response != nullptr && number_in(*response) == key);
                }
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const auto& count : computed) CHECK_EQ(count.load(), 1);
}

/// As a batch does: claims what it can, computes, publishes, and only then waits.
void ask_batch(ResponseCache& cache, std::span<const uint64_t> numbers, std::mt19937& random) {
    std::vector<std::pair<uint64_t, ResponseCache::Found>> asked;
    for (const uint64_t number : numbers) asked.emplace_back(number, cache.look_up(key_of(number, 1 + number % 3)));
    for (auto& [number, found] : asked)
        if (found.claim && random() % 10 != 0) found.claim->publish(response_of(number, 8 + random() % 500));
    for (auto& [number, found] : asked) found.claim.reset();
    for (auto& [number, found] : asked) {
        if (found.response) CHECK_EQ(number_in(*found.response), number);
        if (!found.flight) continue;
        const CachedResponsePtr response = found.flight->wait_for(kLong);
        if (response) CHECK_EQ(number_in(*response), number);
    }
}

TEST("batches that want each other's keys in any order never wait for each other, while models come and go") {
    constexpr size_t kThreads = 6, kBatches = 400;
    const SteadyClock clock;
    ResponseCache cache(100'000, 2000, clock);
    std::atomic<size_t> running{kThreads};
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
            std::mt19937 random(thread);
            for (size_t i = 0; i < kBatches; ++i) {
                std::vector<uint64_t> numbers(12);
                std::iota(numbers.begin(), numbers.end(), random() % 30);
                std::shuffle(numbers.begin(), numbers.end(), random);
                ask_batch(cache, numbers, random);
            }
            --running;
        });
    for (uint64_t generation = 1; running > 0; generation = 1 + generation % 3) {
        cache.drop(generation);
        CHECK(cache.usage().bytes <= 100'000);
        std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rankd
