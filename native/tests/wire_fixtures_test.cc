// The fixtures that C++, TypeScript and Python share (test/fixtures/wire/README.md): requests as an independent writer packs them
// must be read as they say, and the answers they hold must be written byte for byte.
#include <simdjson.h>

#include <string>
#include <vector>

#include "tests/test.h"
#include "tests/wire_support.h"
#include "wire/describe.h"
#include "wire/envelope.h"
#include "wire/request.h"
#include "wire/response.h"

namespace rankd::wire {
namespace {

using Json = simdjson::dom::element;
using test::Bytes;

struct Fixture {
    std::string_view name;
    Codec codec;
    bool is_rpc;
    Bytes bytes;
    Json json;
};

std::string_view text(const Json& json, std::string_view key) {
    std::string_view value;
    return json[key].get(value) == simdjson::SUCCESS ? value : std::string_view{};
}

Codec codec_of(std::string_view name) {
    return name == "json" ? Codec::kJson : name == "oip" ? Codec::kOip : Codec::kMsgpack;
}

/// Runs `check` for every case of a kind, once the file is parsed.
template <typename Check>
void for_each_case(std::string_view kind, Check&& check) {
    static simdjson::dom::parser parser;
    Json root;
    CHECK(parser.load(std::string(RANKD_SOURCE_DIR) + "/test/fixtures/wire/fixtures.json").get(root) == simdjson::SUCCESS);
    size_t count = 0;
    for (const Json one : root["cases"].get_array()) {
        if (text(one, "kind") != kind) continue;
        ++count;
        check(Fixture{text(one, "name"), codec_of(text(one, "codec")), text(one, "framing") == "rpc",
                      test::from_hex(text(one, "hex")), one});
    }
    CHECK(count >= 10);
}

void report(const Fixture& fixture, std::string_view what) {
    test::fail("test/fixtures/wire/fixtures.json", 0, concat("\"", fixture.name, "\": ", what));
}

/// Integers beyond 2^53 stand as text in the fixtures, since JavaScript's JSON would round them.
bool same_id(const Json& expected, const Id& id) {
    if (expected.is_null()) return id.is_none();
    uint64_t integer = 0;
    if (expected.get(integer) == simdjson::SUCCESS) return id == Id::of(integer);
    const std::string_view word = expected.get_string().value();
    if (id.kind == Id::Kind::kInteger) return id.integer > (uint64_t{1} << 53) && std::to_string(id.integer) == word;
    return id == Id::of(word);
}

bool same_ids(const Json& expected, std::span<const Id> ids) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json id : list) {
        if (at >= ids.size() || !same_id(id, ids[at++])) return false;
    }
    return at == ids.size();
}

bool same_features(const Json& expected, FeatureMap features) {
    const simdjson::dom::object map = expected.get_object().value();
    size_t at = 0;
    for (const auto [name, value] : map) {
        if (at >= features.size() || features[at].name != name) return false;
        if (features[at++].value != static_cast<float>(value.get_double().value())) return false;
    }
    return at == features.size();
}

bool same_maps(const Json& expected, std::span<const FeatureMap> maps) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json map : list) {
        if (at >= maps.size() || !same_features(map, maps[at++])) return false;
    }
    return at == maps.size();
}

bool same_filters(const Json& expected, std::span<const AttributeFilter> filters) {
    const simdjson::dom::object map = expected.get_object().value();
    size_t at = 0;
    for (const auto [attribute, ids] : map) {
        if (at >= filters.size() || filters[at].attribute != attribute || !same_ids(ids, filters[at++].any_of)) return false;
    }
    return at == filters.size();
}

bool same_floats(const Json& expected, std::span<const float> floats) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json number : list) {
        if (at >= floats.size() || floats[at++] != static_cast<float>(number.get_double().value())) return false;
    }
    return at == floats.size();
}

bool same_number(const Json& expected, uint64_t number) {
    return expected.get_uint64().value() == number;
}

std::string_view form_name(CandidateForm form) {
    return form == CandidateForm::kRows32 ? "u32_row" : form == CandidateForm::kIds64 ? "u64" : "ids";
}

Bytes bytes_of(std::span<const uint8_t> data) {
    return {data.begin(), data.end()};
}

bool same_tensor(const Json& expected, const NamedTensor& tensor) {
    const simdjson::dom::array dimensions = expected["shape"].get_array().value();
    std::vector<int64_t> shape;
    for (const Json dimension : dimensions) shape.push_back(dimension.get_int64().value());
    return text(expected, "name") == tensor.name && text(expected, "datatype") == datatype_name(tensor.type) &&
           std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end()) &&
           test::from_hex(text(expected, "hex")) == bytes_of(tensor.data);
}

bool same_tensors(const Json& expected, std::span<const NamedTensor> tensors) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json tensor : list) {
        if (at >= tensors.size() || !same_tensor(tensor, tensors[at++])) return false;
    }
    return at == tensors.size();
}

bool same_outputs(const Json& expected, std::span<const WantedOutput> outputs) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json name : list) {
        if (at >= outputs.size() || name.get_string().value() != outputs[at++].name) return false;
    }
    return at == outputs.size();
}

/// What an expected event does not name must be absent.
bool same_event(const Json& expected, const FeedbackEvent& event) {
    const auto is_id = [&](std::string_view key, const Id& id) {
        Json wanted;
        return expected[key].get(wanted) == simdjson::SUCCESS ? same_id(wanted, id) : id.is_none();
    };
    double value = 0;
    const bool has_value = expected["value"].get(value) == simdjson::SUCCESS;
    return is_id("request_id", event.request_id) && is_id("user", event.user) && is_id("item", event.item) &&
           text(expected, "event") == event.name && event.value == (has_value ? std::optional(value) : std::nullopt);
}

bool same_events(const Json& expected, std::span<const FeedbackEvent> events) {
    const simdjson::dom::array list = expected.get_array().value();
    size_t at = 0;
    for (const Json event : list) {
        if (at >= events.size() || !same_event(event, events[at++])) return false;
    }
    return at == events.size();
}

bool same_field(std::string_view field, const Json& expected, const Request& request) {
    if (field == "user") return same_id(expected, request.user);
    if (field == "item") return same_id(expected, request.item);
    if (field == "k") return expected.is_null() ? !request.k : request.k && same_number(expected, *request.k);
    if (field == "has_history") return expected.get_bool().value() == request.has_history;
    if (field == "history") return same_ids(expected, request.history);
    if (field == "exclude") return same_ids(expected, request.exclude);
    if (field == "features") return same_features(expected, request.features);
    if (field == "context") return same_features(expected, request.context);
    if (field == "filters") return same_filters(expected, request.filters);
    if (field == "query") return expected.get_string().value() == request.query;
    if (field == "stream") return expected.get_bool().value() == request.stream;
    if (field == "trace_id") return expected.get_string().value() == hex(request.trace.trace_id);
    if (field == "order") return expected.get_string().value() == (request.order == Order::kBest ? "best" : "input");
    if (field == "events") return same_events(expected, request.events);
    if (field == "candidates") return same_ids(expected, request.candidates);
    if (field == "candidate_features") return same_maps(expected, request.candidate_features);
    if (field == "candidate_form") return expected.get_string().value() == form_name(request.candidate_form);
    if (field == "candidate_count") return same_number(expected, request.candidate_count());
    if (field == "row_floats") return same_number(expected, request.row_bytes.size() / sizeof(float));
    if (field == "row_count") return same_number(expected, request.row_count);
    if (field == "row_width") return same_number(expected, request.row_width);
    if (field == "row_maps") return same_maps(expected, request.row_maps);
    if (field == "inputs") return same_tensors(expected, request.inputs);
    if (field == "outputs") return same_outputs(expected, request.outputs);
    if (field == "id")
        return expected.is_null() ? !request.has_id : request.has_id && expected.get_string().value() == request.id;
    if (field == "wants_binary") return expected.get_bool().value() == request.wants_binary;
    if (field == "raw_input")
        return request.has_raw_input && test::from_hex(expected.get_string().value()) == bytes_of(request.raw_input);
    if (field == "row_values") return same_floats(expected, request.row_values);
    return false;
}

uint32_t json_bytes_of(const Json& fixture) {
    uint64_t bytes = 0;
    return fixture["json_bytes"].get(bytes) == simdjson::SUCCESS ? static_cast<uint32_t>(bytes) : kAllJson;
}

/// Reads a frame or a body as the engine does, and keeps alive what the request looks at.
struct Read {
    explicit Read(const Fixture& fixture) : bytes(fixture.codec, fixture.bytes) {
        std::span<const uint8_t> body = bytes.bytes();
        if (fixture.is_rpc) {
            status = read_envelope(body, Limits{}, envelope);
            if (!status.is_ok()) return;
            body = envelope.body;
        } else {
            envelope.operation = operation_from_name(text(fixture.json, "op")).value();
        }
        status = decoder.decode(envelope.operation, fixture.codec, body, arena, request, {json_bytes_of(fixture.json), "m"});
    }
    test::GuardedBody bytes;
    RequestDecoder decoder{Limits{}};
    Arena arena;
    Envelope envelope;
    Request request;
    Status status;
};

void check_envelope(const Fixture& fixture, const Envelope& envelope) {
    const Json expected = fixture.json["envelope"].value();
    if (text(expected, "op") != operation_name(envelope.operation)) report(fixture, "another operation");
    if (!same_id(expected["request_id"].value(), envelope.request_id)) report(fixture, "another request id");
    if (text(expected, "target") != envelope.target) report(fixture, "another target");
    if (!same_number(expected["deadline_ms"].value(), envelope.deadline_ms)) report(fixture, "another deadline");
    if (!same_number(expected["priority"].value(), envelope.priority)) report(fixture, "another priority");
    if (!same_number(expected["rows"].value(), envelope.rows)) report(fixture, "another count of rows");
}

TEST("every request of the fixtures is read as it says") {
    for_each_case("request", [](const Fixture& fixture) {
        const Read read(fixture);
        if (!read.status.is_ok()) return report(fixture, read.status.message());
        if (fixture.is_rpc) check_envelope(fixture, read.envelope);
        const simdjson::dom::object expected = fixture.json["expect"].get_object().value();
        for (const auto [field, value] : expected) {
            if (!same_field(field, value, read.request)) report(fixture, concat("field ", field, " came out otherwise"));
        }
    });
}

TEST("every bad request of the fixtures gets its code, its words and its id back") {
    for_each_case("error", [](const Fixture& fixture) {
        const Read read(fixture);
        if (code_name(read.status.code()) != text(fixture.json, "code"))
            report(fixture, concat("got ", code_name(read.status.code())));
        if (!test::contains(read.status.message(), text(fixture.json, "message"))) report(fixture, read.status.message());
        if (fixture.is_rpc && !same_id(fixture.json["request_id"].value(), read.envelope.request_id))
            report(fixture, "another request id");
    });
}

Id id_from(const Json& json) {
    if (json.is_null()) return {};
    uint64_t integer = 0;
    if (json.get(integer) == simdjson::SUCCESS) return Id::of(integer);
    return Id::of(json.get_string().value());
}

DegradedSet degraded_from(const Json& words) {
    DegradedSet set = 0;
    const simdjson::dom::array list = words.get_array().value();
    for (const Json word : list) {
        for (size_t bit = 0; bit < kDegradedWords; ++bit) {
            if (degraded_word(bit) == word.get_string().value()) set = static_cast<DegradedSet>(set | 1u << bit);
        }
    }
    return set;
}

/// The answer that `expect` describes, with the storage that its views need.
struct BuiltAnswer {
    explicit BuiltAnswer(const Json& expect) {
        answer.request_id = id_from(expect["request_id"].value());
        answer.model = text(expect, "model");
        answer.version = text(expect, "version");
        answer.degraded = degraded_from(expect["degraded"].value());
        const auto micros = [&](const char* key) { return static_cast<uint32_t>(expect["timing"][key].get_uint64().value()); };
        answer.timing = {micros("queue"), micros("compute"), micros("total")};
        simdjson::dom::array list;
        if (expect["items"].get(list) == simdjson::SUCCESS) {
            for (const Json item : list) {
                items.push_back(
                    {id_from(item["id"].value()), static_cast<float>(item["score"].get_double().value()), text(item, "source")});
            }
        }
        if (expect["scores"].get(list) == simdjson::SUCCESS) {
            answer.kind = AnswerKind::kScores;
            for (const Json score : list)
                scores.push_back(score.is_null() ? NAN : static_cast<float>(score.get_double().value()));
        }
        if (expect["decisions"].get(list) == simdjson::SUCCESS) {
            for (const Json decision : list) decisions.push_back(decision.get_string().value());
        }
        uint64_t accepted = 0;
        if (expect["accepted"].get(accepted) == simdjson::SUCCESS) answer.kind = AnswerKind::kAccepted;
        answer.accepted = static_cast<uint32_t>(accepted);
        uint64_t offset = 0;
        answer.is_streamed = expect["offset"].get(offset) == simdjson::SUCCESS;
        answer.offset = static_cast<uint32_t>(offset);
        answer.items = items;
        answer.scores = scores;
        answer.decisions = decisions;
    }
    std::vector<ScoredItem> items;
    std::vector<float> scores;
    std::vector<std::string_view> decisions;
    Answer answer;
};

Status status_from(const Json& expect) {
    size_t size = 0;
    const CodeInfo* catalogue = code_catalogue(size);
    uint64_t retry_after_ms = 0;
    const std::string message(text(expect, "error"));
    if (expect["retry_after_ms"].get(retry_after_ms) == simdjson::SUCCESS) {
        return Status::overloaded(message, static_cast<uint32_t>(retry_after_ms));
    }
    for (size_t i = 0; i < size; ++i) {
        if (catalogue[i].name == text(expect, "code")) return Status(catalogue[i].code, message);
    }
    return Status(Code::INTERNAL, "the fixture names an unknown code");
}

uint32_t seq_of(const Json& fixture) {
    uint64_t seq = 0;
    return fixture["seq"].get(seq) == simdjson::SUCCESS ? static_cast<uint32_t>(seq) : 0;
}

bool is_last(const Json& fixture) {
    bool last = true;
    return fixture["last"].get(last) != simdjson::SUCCESS || last;
}

TEST("every answer of the fixtures is written byte for byte") {
    for_each_case("answer", [](const Fixture& fixture) {
        const Json expect = fixture.json["expect"].value();
        const Framing framing = fixture.is_rpc ? Framing::kRpc : Framing::kBody;
        const uint32_t seq = seq_of(fixture.json);
        ByteBuffer out;
        if (expect["error"].error() == simdjson::SUCCESS) {
            encode_error(fixture.codec, framing, id_from(expect["request_id"].value()), status_from(expect), out, seq);
        } else {
            BuiltAnswer built(expect);
            built.answer.seq = seq;
            built.answer.last = is_last(fixture.json);
            encode_answer(fixture.codec, framing, built.answer, out);
        }
        if (Bytes(out.data(), out.data() + out.size()) != fixture.bytes) report(fixture, "other bytes were written");
    });
}

}  // namespace
}  // namespace rankd::wire
