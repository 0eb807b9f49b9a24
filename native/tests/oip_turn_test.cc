// OIP bodies through a handle: their answers and the length of their JSON, and what the door reads before they are decoded.
#include "tests/engine_support.h"
#include "tests/wire_support.h"

namespace rankd {
namespace {

using namespace test;

struct OipAnswer {
    uint32_t ticket = 0;
    Code code = Code::OK;
    std::string text;
    uint32_t json_bytes = 0;
};

/// The scorer behind a handle, on a clock that stands.
class OipServer {
  public:
    OipServer() : with_(on(clock)), handle_(with_.attach()) {}

    int32_t submit(std::string_view body, uint32_t json_bytes = wire::kAllJson, const std::string& target = "scorer",
                   uint32_t deadline_ms = 0) {
        engine::BareBody bare{Operation::kInfer, target, deadline_ms, "req-1", {}, json_bytes};
        return handle_->submit(from_text(body), wire::Codec::kOip, bare);
    }

    std::vector<OipAnswer> flush() {
        const engine::FlushResult flushed = handle_->flush(1'000'000);
        std::vector<OipAnswer> answers;
        for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
            const auto record = flushed.records.subspan(i, engine::kRecordLength);
            const auto bytes = flushed.slab->bytes().subspan(record[1], record[2]);
            answers.push_back({record[0], static_cast<Code>(record[3] & 0xFF), {bytes.begin(), bytes.end()}, record[6]});
        }
        return answers;
    }

    OipAnswer ask(std::string_view body, uint32_t json_bytes = wire::kAllJson, const std::string& target = "scorer") {
        CHECK(submit(body, json_bytes, target) >= 0);
        const auto answers = flush();
        CHECK_EQ(answers.size(), 1u);
        return answers.empty() ? OipAnswer{} : answers[0];
    }

    ManualClock clock;

  private:
    static CoreOptions on(const Clock& clock) {
        CoreOptions options = fake_options();
        options.clock = &clock;
        return options;
    }
    WithCore with_;
    std::shared_ptr<Handle> handle_;
};

/// One row for the scorer, and members of the body beside it.
std::string row(std::string_view members = "") {
    return R"({"inputs": [{"name": "rows", "datatype": "FP32", "shape": [1, 4], "data": [0, 0, 0, 0]}])" + std::string(members) +
           "}";
}

void check(const OipAnswer& answer, Code code, std::string_view part) {
    CHECK_EQ(code_name(answer.code), code_name(code));
    if (!contains(answer.text, part)) test::fail(__FILE__, __LINE__, "the answer is: " + answer.text);
}

TEST("an OIP body is answered in JSON, or with its tensors behind the JSON") {
    OipServer server;
    const OipAnswer json = server.ask(row(R"(, "id": "a")"));
    check(json, Code::OK, R"({"id":"a","model_name":"scorer","model_version":"1.0.0","outputs":[{"name":")");
    CHECK_EQ(json.json_bytes, 0u);
    std::string head =
        R"({"inputs": [{"name": "rows", "datatype": "FP32", "shape": [2, 4], "parameters": {"binary_data_size": 32}}],
        "parameters": {"binary_data_output": true}})";
    const auto json_bytes = static_cast<uint32_t>(head.size());
    const OipAnswer binary = server.ask(head.append(32, '\0'), json_bytes);
    check(binary, Code::OK, R"("parameters":{"binary_data_size":8}}]})");
    CHECK_EQ(binary.text.size(), binary.json_bytes + 8u);
}

TEST("every OIP error begins with the caller's id, whoever finds it") {
    OipServer server;
    check(server.ask(row(R"(, "id": "a\u0022b")"), wire::kAllJson, "nobody"), Code::UNKNOWN_MODEL,
          R"({"error":"[request id: a\"b] )");
    check(server.ask(R"({"id": "b", "inputs": 7})"), Code::INVALID_ARGUMENT, R"([request id: b] Unable to parse 'inputs')");
    check(server.ask("{"), Code::INVALID_BODY, "[request id: <id_unknown>] failed to parse the request JSON buffer: ");
    check(server.ask(row(), 1'000'000), Code::INVALID_ARGUMENT, "inference header size should be in range");
    CHECK(contains(server.ask("{").text, R"("request_id":"req-1"})"));
    FakeSessionControl::is_failing = true;
    check(server.ask(row(R"(, "id": "c")")), Code::MODEL_FAILED, "[request id: c] ");
    FakeSessionControl::is_failing = false;
}

TEST("the timeout of an OIP body counts in microseconds from its arrival, beside the caller's deadline") {
    const auto code_after = [](Micros waited, std::string_view timeout, uint32_t deadline_ms) {
        OipServer server;
        server.submit(row(R"(, "parameters": {"timeout": )" + std::string(timeout) + "}"), wire::kAllJson, "scorer", deadline_ms);
        server.clock.advance(waited);
        return server.flush().at(0);
    };
    CHECK_EQ(code_name(code_after(1400, "1500", 0).code), "OK");
    check(code_after(1600, "1500", 0), Code::DEADLINE_EXCEEDED, "Request timeout expired");
    check(code_after(1600, "1500", 50), Code::DEADLINE_EXCEEDED, "Request timeout expired");
    check(code_after(51'000, "60000", 50), Code::DEADLINE_EXCEEDED, "Request timeout expired");
    CHECK_EQ(code_name(code_after(50'000, "60000", 55).code), "OK");
    CHECK_EQ(code_name(code_after(1'000'000, "0", 0).code), "OK");
    CHECK_EQ(code_name(code_after(1'000'000, "18446744073709551615", 0).code), "OK");
}

TEST("the priority of an OIP body decides who is served first") {
    OipServer server;
    std::vector<uint32_t> tickets;
    for (const char* priority : {"200", "5", "1"})
        tickets.push_back(
            static_cast<uint32_t>(server.submit(row(R"(, "parameters": {"priority": )" + std::string(priority) + "}"))));
    const auto answers = server.flush();
    CHECK_EQ(answers.size(), 3u);
    for (size_t i = 0; i < answers.size(); ++i) CHECK_EQ(answers[i].ticket, tickets[2 - i]);
}

}  // namespace
}  // namespace rankd
