// Epochs against a slow, obvious model of them, and under threads that read what writers free.
#include "engine/epochs.h"

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "tests/test.h"

namespace rankd {
namespace {

using engine::Epoch;
using engine::EpochReader;
using engine::Epochs;

/// One reader beside what the model knows of it: when the turns began whose reads may still be looked at.
struct ModelledReader {
    explicit ModelledReader(Epochs& epochs) : reader(epochs) {}

    struct Pin {
        Epoch epoch;
        uint64_t turn_began;
    };

    EpochReader reader;
    std::optional<uint64_t> turn_began;
    std::vector<Pin> pins;
    std::multiset<uint64_t> unpinned_since_leave;

    bool may_see_what_was_replaced_at(uint64_t time) const {
        const auto is_before = [time](uint64_t began) { return began < time; };
        return (turn_began && is_before(*turn_began)) ||
               std::any_of(pins.begin(), pins.end(), [&](const Pin& pin) { return is_before(pin.turn_began); }) ||
               std::any_of(unpinned_since_leave.begin(), unpinned_since_leave.end(), is_before);
    }

    void enter(uint64_t now) {
        reader.enter();
        if (!turn_began) turn_began = now;
    }
    void leave() {
        reader.leave();
        turn_began.reset();
        unpinned_since_leave.clear();
    }
    void pin() { pins.push_back({reader.pin(), *turn_began}); }
    void unpin(size_t at) {
        reader.unpin(pins[at].epoch);
        unpinned_since_leave.insert(pins[at].turn_began);
        pins.erase(pins.begin() + static_cast<ptrdiff_t>(at));
    }
};

/// One random step of one reader.
void step(ModelledReader& reader, uint64_t now, std::mt19937& random) {
    switch (random() % 5) {
        case 0:
            return reader.enter(now);
        case 1:
            return reader.leave();
        case 2:
        case 3:
            if (reader.turn_began) reader.pin();
            return;
        default:
            if (!reader.pins.empty()) reader.unpin(random() % reader.pins.size());
    }
}

/// Plays one random history. @return when epochs and model first disagreed, or 0
uint64_t first_disagreement(uint32_t seed) {
    struct Replaced {
        Epoch epoch;
        uint64_t time;
    };
    std::mt19937 random(seed);
    Epochs epochs;
    std::deque<ModelledReader> readers;
    for (int i = 0; i < 3; ++i) readers.emplace_back(epochs);
    std::vector<Replaced> replaced;
    const auto is_seen = [&](const Replaced& one) {
        return std::any_of(readers.begin(), readers.end(),
                           [&](const ModelledReader& reader) { return reader.may_see_what_was_replaced_at(one.time); });
    };
    for (uint64_t now = 1; now < 400; ++now) {
        if (random() % 8 == 0) {
            replaced.push_back({epochs.advance(), now});
        } else {
            step(readers[random() % readers.size()], now, random);
        }
        for (const Replaced& one : replaced)
            if (epochs.has_passed(one.epoch) == is_seen(one)) return now;
    }
    return 0;
}

TEST("an epoch has passed exactly when no reader's turn or pin is older, whatever readers do in whatever order") {
    for (uint32_t seed = 0; seed < 100; ++seed) CHECK_EQ(first_disagreement(seed), 0u);
}

TEST("a parked reader delays nobody, a pin does until it is dropped and the turn has ended") {
    Epochs epochs;
    EpochReader parked(epochs);
    EpochReader reader(epochs);
    reader.enter();
    const Epoch pinned = reader.pin();
    reader.leave();
    const Epoch epoch = epochs.advance();
    CHECK(!epochs.has_passed(epoch));
    reader.enter();
    CHECK(!epochs.has_passed(epoch));
    reader.unpin(pinned);
    CHECK(!epochs.has_passed(epoch));
    reader.leave();
    CHECK(epochs.has_passed(epoch));
}

TEST("a reader that goes takes its pins along") {
    Epochs epochs;
    auto reader = std::make_unique<EpochReader>(epochs);
    reader->enter();
    reader->pin();
    const Epoch epoch = epochs.advance();
    CHECK(!epochs.has_passed(epoch));
    reader.reset();
    CHECK(epochs.has_passed(epoch));
}

/// What readers look at; its end is written down in it, so that a reader that came too late would see it, and the sanitizers too.
struct Node {
    explicit Node(uint64_t number) : value(number), copy(number) {}
    ~Node() { copy = ~value; }
    uint64_t value, copy;
};

/// Reads as a handle does: some of what it sees is pinned and looked at again turns later.
uint64_t read_until(const std::atomic<bool>& is_done, Epochs& epochs, const std::atomic<Node*>& current, uint32_t seed) {
    EpochReader reader(epochs);
    std::mt19937 random(seed);
    struct Held {
        Epoch epoch;
        const Node* node;
    };
    std::vector<Held> held;
    uint64_t wrong = 0;
    while (!is_done) {
        if (random() % 2 == 0) reader.enter();
        for (size_t i = 0; i < held.size();) {
            wrong += held[i].node->value != held[i].node->copy;
            if (random() % 4 != 0) {
                ++i;
                continue;
            }
            reader.unpin(held[i].epoch);
            wrong += held[i].node->value != held[i].node->copy;
            held.erase(held.begin() + static_cast<ptrdiff_t>(i));
        }
        reader.enter();
        const Node* node = current.load(std::memory_order_seq_cst);
        wrong += node->value != node->copy;
        if (held.size() < 8) held.push_back({reader.pin(), node});
        reader.leave();
    }
    return wrong;
}

TEST("threads never see what has been freed, and everything is freed in the end") {
    Epochs epochs;
    std::atomic<Node*> current{new Node(0)};
    std::atomic<bool> is_done{false};
    std::atomic<uint64_t> wrong{0};
    std::vector<std::thread> readers;
    for (uint32_t seed = 0; seed < 3; ++seed)
        readers.emplace_back([&, seed] { wrong += read_until(is_done, epochs, current, seed); });
    struct Retired {
        std::unique_ptr<Node> node;
        Epoch epoch;
    };
    std::deque<Retired> retired;
    uint64_t freed = 0;
    const auto free_what_has_passed = [&] {
        while (!retired.empty() && epochs.has_passed(retired.front().epoch)) retired.pop_front(), ++freed;
    };
    uint64_t published = 0;
    while (freed < 1000) {
        if (retired.size() < 64) {
            std::unique_ptr<Node> old(current.exchange(new Node(++published), std::memory_order_seq_cst));
            retired.push_back({std::move(old), epochs.advance()});
        }
        free_what_has_passed();
    }
    is_done = true;
    for (std::thread& reader : readers) reader.join();
    free_what_has_passed();
    CHECK(retired.empty());
    CHECK_EQ(wrong.load(), 0u);
    delete current.load();
}

}  // namespace
}  // namespace rankd
