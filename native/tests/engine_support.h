// Cores with the fixtures, and frames for them: what the tests of handles share.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/core.h"
#include "engine/handle.h"
#include "tests/fake_sessions.h"
#include "tests/test.h"
#include "wire/msgpack_reader.h"
#include "wire/msgpack_writer.h"

namespace rankd::test {

using engine::Core;
using engine::CoreOptions;
using engine::Handle;
using wire::Operation;

inline CoreOptions fake_options(unsigned compute_threads = 0) {
    CoreOptions options;
    options.compute_threads = compute_threads;
    options.sessions = fake_sessions();
    return options;
}

/// The fixture's manifest with a member more, for `Core::load`.
inline std::string manifest_with(const std::string& model, const std::string& members) {
    std::ifstream file(fixture_model(model) / "manifest.json");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.insert(text.find('{') + 1, members + ", ");
}

/// A core with both fixtures loaded, closed at the end of the test.
class WithCore {
  public:
    explicit WithCore(CoreOptions options = fake_options()) : core(Core::create(std::move(options))) {
        CHECK_OK(core->load(fixture_model("tiny")));
        CHECK_OK(core->load(fixture_model("scorer")));
    }
    ~WithCore() { core->close(); }
    std::shared_ptr<Handle> attach() { return std::move(core->attach()).value(); }

    std::shared_ptr<Core> core;
};

inline std::vector<uint8_t> frame(uint64_t id, const std::string& target, const std::string& user, uint32_t deadline_ms = 0,
                                  Operation operation = Operation::kRecommend) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    writer.begin_list(8);
    writer.integer(1);
    writer.integer(static_cast<uint64_t>(operation));
    writer.integer(id);
    writer.text(target);
    deadline_ms == 0 ? writer.nil() : writer.integer(deadline_ms);
    writer.nil();
    writer.nil();
    writer.begin_map(1);
    writer.key("user");
    writer.text(user);
    return {buffer.data(), buffer.data() + buffer.size()};
}

struct Answer {
    uint32_t ticket = 0;
    uint64_t id = 0;
    Code code = Code::OK;
    std::string text;  ///< the whole frame, for searching in
};

inline std::vector<Answer> answers_of(const engine::FlushResult& flushed) {
    std::vector<Answer> answers;
    for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
        const std::span<const uint8_t> bytes = flushed.slab->bytes().subspan(flushed.records[i + 1], flushed.records[i + 2]);
        Status failure;
        wire::MsgpackReader reader(bytes, Code::INTERNAL, failure);
        wire::MsgpackValue list, version, id, code;
        CHECK(reader.next(list) && reader.next(version) && reader.next(id) && reader.next(code));
        CHECK_EQ(code.integer(), flushed.records[i + 3] & 0xFFu);
        answers.push_back({flushed.records[i], id.integer(), static_cast<Code>(code.integer()), {bytes.begin(), bytes.end()}});
    }
    return answers;
}

inline std::vector<Answer> flush_all(Handle& handle) {
    std::vector<Answer> all;
    for (bool more = true; more;) {
        const engine::FlushResult flushed = handle.flush(1000);
        more = flushed.more;
        for (Answer& answer : answers_of(flushed)) all.push_back(std::move(answer));
    }
    return all;
}

/// Flushes until `count` answers have come from the workers too.
inline std::vector<Answer> wait_for(Handle& handle, size_t count) {
    std::vector<Answer> all;
    while (all.size() < count) {
        for (Answer& answer : flush_all(handle)) all.push_back(std::move(answer));
        std::this_thread::yield();
    }
    return all;
}

}  // namespace rankd::test
