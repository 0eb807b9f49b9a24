#include "spec.h"

#include <cstdio>
#include <string>

#include "tests/test.h"

namespace rankd::load {
namespace {

const std::string kTarget =
    R"("target": {"transport": "rpc", "addresses": ["127.0.0.1:8001"], "path": "/rpc"}, "corpus": "c", "connections": 2)";
const std::string kClosedLoad = R"("load": {"mode": "closed", "in_flight": 4, "seconds": 1})";

std::string with(const std::string& more) {
    return "{" + kTarget + ", " + kClosedLoad + ", " + more + "}";
}

std::string with_load(const std::string& load) {
    return "{" + kTarget + R"(, "load": )" + load + "}";
}

std::string with_target(const std::string& target) {
    return R"({"target": )" + target + R"(, "corpus": "c", "connections": 1, )" + kClosedLoad + "}";
}

void check_refused(const std::string& json, const std::string& expected) {
    const auto spec = parse_spec(json);
    CHECK(!spec.is_ok());
    CHECK_EQ(spec.status().message(), expected);
    CHECK(spec.status().code() == Code::INVALID_ARGUMENT);
}

TEST("the defaults are those of load.ts") {
    const auto spec = parse_spec("{" + kTarget + ", " + kClosedLoad + "}");
    CHECK_OK(spec);
    CHECK_EQ(spec->warmup_seconds, 0.5);
    CHECK_EQ(spec->linger_seconds, 5.0);
    CHECK_EQ(spec->seed, uint64_t{1});
    CHECK_EQ(spec->interval_ms, 100.0);
    CHECK_EQ(spec->retry.max_attempts, 1u);
    CHECK_EQ(spec->in_flight, 4u);
    CHECK(spec->record.empty());
    CHECK_EQ(spec->deadline_ms, 0.0);
    CHECK_EQ(count_groups(*spec), 0u);
}

TEST("every field is read") {
    const auto spec =
        parse_spec(R"({"target": {"transport": "http", "addresses": ["unix:/tmp/s", "[::1]:80", "localhost:1"], "path": "/v1",
        "headers": {"content-type": "application/json"}}, "corpus": "c", "connections": 3,
        "load": {"mode": "open", "arrivals": "poisson", "profile": [{"seconds": 0.5, "per_second": 0.1}, {"seconds": 1, "per_second": 9}],
                 "burst": {"every_ms": 250, "requests": 7}},
        "warmup_seconds": 0, "linger_seconds": 1.5, "seed": 18446744073709551615, "interval_ms": 50,
        "retry": {"max_attempts": 3, "budget": 0.1, "backoff_ms": 5}, "record": "r"})");
    CHECK_OK(spec);
    CHECK_EQ(spec->addresses.size(), size_t{3});
    CHECK_EQ(spec->headers[0].second, std::string("application/json"));
    CHECK(spec->mode == Mode::kOpen && spec->is_poisson);
    CHECK_EQ(spec->profile[1].per_second, 9.0);
    CHECK_EQ(spec->burst.requests, 7u);
    CHECK_EQ(spec->seed, UINT64_MAX);
    CHECK_EQ(spec->retry.max_attempts, 3u);
    CHECK_EQ(spec->record, std::string("r"));
}

TEST("a replay names its file") {
    CHECK_EQ(parse_spec(with_load(R"({"mode": "replay", "file": "f"})"))->replay_file, std::string("f"));
    check_refused(with_load(R"({"mode": "replay"})"), "load.file: is required and missing");
}

TEST("messages name the field, what was expected and what came") {
    check_refused(with(R"("seed": -1)"), "seed: expected an integer from 0 to 2^64 - 1, got -1");
    check_refused(with(R"("warmup_seconds": "ten")"), "warmup_seconds: expected a number from 0 to 86400, got \"ten\" (text)");
    check_refused(with(R"("retry": {"max_attempts": 0, "budget": 1, "backoff_ms": 1})"),
                  "retry.max_attempts: expected an integer from 1 to 16, got 0");
    check_refused(
        with_load(
            R"({"mode": "open", "arrivals": "constant", "profile": [{"seconds": 1, "per_second": 1}, {"seconds": 1, "per_second": 0}]})"),
        "load.profile[1].per_second: expected a number above 0, at most 100000000, got 0");
    check_refused(with_load(R"({"mode": "open", "arrivals": "sine", "profile": []})"),
                  "load.arrivals: expected \"constant\" or \"poisson\", got \"sine\" (text)");
    check_refused(with_load(R"({"mode": "open", "arrivals": "constant", "profile": []})"),
                  "load.profile: expected a list of steps {seconds, per_second}, got a list");
    check_refused(with_load(R"({"mode": "closed", "in_flight": 1.5, "seconds": 1})"),
                  "load.in_flight: expected an integer from 1 to 65536, got 1.5");
    check_refused(with_load("7"), "load: expected an object, got 7");
    check_refused("[]", "the spec: expected an object, got a list");
}

TEST("a field that does not exist is named, wherever it stands") {
    check_refused(with(R"("warmup": 1)"),
                  "warmup: is no field; known are target, corpus, connections, load, warmup_seconds, linger_seconds, seed, "
                  "interval_ms, retry, deadline_ms, alternate_ms, groups, record");
    check_refused(with_load(R"({"mode": "closed", "in_flight": 1, "seconds": 1, "profile": []})"),
                  "load.profile: is no field; known are mode, in_flight, seconds");
}

TEST("groups are those of the corpus, or the addresses that take turns") {
    const auto spec = parse_spec(with(R"("groups": [0, 2, 0], "deadline_ms": 50)"));
    CHECK_OK(spec);
    CHECK_EQ(spec->deadline_ms, 50.0);
    CHECK_EQ(count_groups(*spec), 3u);
    check_refused(with(R"("groups": [0, 8])"), "groups[1]: expected an integer from 0 to 7, got 8");
    check_refused(with(R"("groups": [])"), "groups: expected a list with the group of each entry of the corpus, got a list");
    const auto in_turn = [](const std::string& load, const std::string& more) {
        return R"({"target": {"transport": "rpc", "addresses": ["a:1", "b:2"], "path": "/"}, "corpus": "c", "connections": 2, "load": )" +
               load + R"(, "alternate_ms": 100)" + more + "}";
    };
    const std::string open = R"({"mode": "open", "arrivals": "poisson", "profile": [{"seconds": 1, "per_second": 1}]})";
    CHECK_EQ(count_groups(*parse_spec(in_turn(open, ""))), 2u);
    check_refused(in_turn(open, R"(, "groups": [0])"), "alternate_ms: its groups are the addresses, so groups must be absent");
    check_refused(with(R"("alternate_ms": 100)"), "alternate_ms: only with transport \"rpc\" and not in a closed loop");
}

TEST("text that is no JSON is refused") {
    CHECK(parse_spec("{\"target\": ").status().message().starts_with("the spec is no JSON: "));
    CHECK(!parse_spec("").is_ok());
}

TEST("addresses, paths and headers that cannot be sent are refused") {
    const auto target = [](const std::string& address) {
        return R"({"transport": "rpc", "addresses": [")" + address + R"("], "path": "/"})";
    };
    for (const std::string address : {"localhost", ":80", "a:0", "a:65536", "a:b", "::1:80", "a b:1", "unix:", "unix:relative"}) {
        check_refused(with_target(target(address)),
                      "target.addresses[0]: expected \"host:port\" or \"unix:/path\", got \"" + address + "\" (text)");
    }
    CHECK(!parse_spec(with_target(target("unix:/" + std::string(200, 'x')))).is_ok());
    check_refused(with_target(R"({"transport": "rpc", "addresses": ["a:1"], "path": "rpc"})"),
                  "target.path: expected a path that starts with / and has no spaces, got \"rpc\"");
    const auto headers = [](const std::string& header) {
        return with_target(R"({"transport": "http", "addresses": ["a:1"], "path": "/", "headers": )" + header + "}");
    };
    check_refused(headers(R"({"a b": "c"})"), "target.headers.a b: is no header name");
    check_refused(headers(R"({"Content-Length": "5"})"), "target.headers.Content-Length: is set by the generator");
    check_refused(headers(R"({"a": "b\r\nc: d"})"), "target.headers.a: expected a text of one line, got \"b\\r\\nc: d\" (text)");
    check_refused(with_target(R"({"transport": "rpc", "addresses": ["a:1"], "path": "/", "headers": {}})"),
                  "target.headers: only with transport \"http\"");
}

TEST("an http connection has one request outstanding") {
    check_refused(with_target(R"({"transport": "http", "addresses": ["a:1"], "path": "/"})"),
                  "load.in_flight: expected 1, an http connection has one request outstanding, got 4");
}

TEST("a timeline of over a million steps is refused") {
    check_refused(with_load(R"({"mode": "closed", "in_flight": 1, "seconds": 86400})").insert(1, R"("interval_ms": 1, )"),
                  "interval_ms: the timeline would have over a million steps; choose a wider interval");
}

}  // namespace
}  // namespace rankd::load
