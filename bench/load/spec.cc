#include "spec.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "socket_address.h"
#include "spec_fields.h"

namespace rankd::load {
namespace {

constexpr double kDay = 86'400;
constexpr double kMostPerSecond = 1e8;
constexpr double kMostConnections = 60'000;
constexpr double kMostInFlight = 65'536;
constexpr double kMostIntervals = 1e6;

/// `transport: "rpc"` and the like: one word of a few.
template <typename T>
Status choice(SpecFields& fields, std::string_view key, T& out, std::initializer_list<std::pair<std::string_view, T>> choices) {
    RANKD_ASSIGN_OR_RETURN(const auto value, fields.take_required(key));
    std::string_view text;
    const bool is_text = value.get(text) == simdjson::SUCCESS;
    std::string expected;
    for (const auto& [word, meaning] : choices) {
        if (is_text && text == word) {
            out = meaning;
            return Status::ok();
        }
        expected += (expected.empty() ? "\"" : " or \"") + std::string(word) + "\"";
    }
    return fields.unexpected(key, expected, value);
}

bool is_token(std::string_view name) {
    const auto is_token_character = [](unsigned char c) {
        return std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_token_character);
}

bool is_header_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
}

/// The generator frames bodies itself, so these are not the caller's to set.
bool is_ours(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    constexpr std::array<std::string_view, 4> kOurs = {"content-length", "transfer-encoding", "connection", "host"};
    return std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

Status parse_headers(const simdjson::dom::element& value, Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(const SpecFields fields, SpecFields::of(value, "target.headers"));
    if (spec.transport != Transport::kHttp) {
        return Status(Code::INVALID_ARGUMENT, "target.headers: only with transport \"http\"");
    }
    for (const auto& [key, header] : fields.entries()) {
        std::string_view text;
        if (!is_token(key)) return Status(Code::INVALID_ARGUMENT, fields.path(key) + ": is no header name");
        if (is_ours(std::string(key))) return Status(Code::INVALID_ARGUMENT, fields.path(key) + ": is set by the generator");
        if (header.get(text) != simdjson::SUCCESS || !is_header_value(text)) {
            return fields.unexpected(key, "a text of one line", header);
        }
        spec.headers.emplace_back(key, text);
    }
    return Status::ok();
}

Status parse_addresses(SpecFields& fields, Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(const auto value, fields.take_required("addresses"));
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS || list.size() == 0) {
        return fields.unexpected("addresses", "a list of \"host:port\" or \"unix:/path\"", value);
    }
    for (const auto& entry : list) {
        const std::string key = "addresses[" + std::to_string(spec.addresses.size()) + "]";
        std::string_view text;
        if (entry.get(text) != simdjson::SUCCESS || !is_address(text)) {
            return fields.unexpected(key, "\"host:port\" or \"unix:/path\"", entry);
        }
        spec.addresses.emplace_back(text);
    }
    return Status::ok();
}

Status parse_target(const simdjson::dom::element& value, Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(SpecFields fields, SpecFields::of(value, "target"));
    RANKD_RETURN_IF_ERROR(
        choice<Transport>(fields, "transport", spec.transport, {{"rpc", Transport::kRpc}, {"http", Transport::kHttp}}));
    RANKD_RETURN_IF_ERROR(parse_addresses(fields, spec));
    RANKD_RETURN_IF_ERROR(fields.text("path", spec.path, true));
    const bool is_plain = std::all_of(spec.path.begin(), spec.path.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (spec.path.front() != '/' || !is_plain) {
        return Status(Code::INVALID_ARGUMENT,
                      "target.path: expected a path that starts with / and has no spaces, got \"" + spec.path + "\"");
    }
    if (const auto headers = fields.take("headers")) RANKD_RETURN_IF_ERROR(parse_headers(*headers, spec));
    return fields.finish();
}

Status parse_closed(SpecFields& fields, Spec& spec) {
    RANKD_RETURN_IF_ERROR(fields.integer("in_flight", spec.in_flight, {.least = 1, .most = kMostInFlight}, true));
    RANKD_RETURN_IF_ERROR(fields.number("seconds", spec.closed_seconds, {.least = 0, .most = kDay, .is_above = true}, true));
    if (spec.transport == Transport::kHttp && spec.in_flight != 1) {
        return Status(Code::INVALID_ARGUMENT, "load.in_flight: expected 1, an http connection has one request outstanding, got " +
                                                  std::to_string(spec.in_flight));
    }
    return Status::ok();
}

Status parse_profile(SpecFields& fields, Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(const auto value, fields.take_required("profile"));
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS || list.size() == 0) {
        return fields.unexpected("profile", "a list of steps {seconds, per_second}", value);
    }
    for (const auto& entry : list) {
        RANKD_ASSIGN_OR_RETURN(SpecFields step,
                               SpecFields::of(entry, "load.profile[" + std::to_string(spec.profile.size()) + "]"));
        Step& parsed = spec.profile.emplace_back();
        RANKD_RETURN_IF_ERROR(step.number("seconds", parsed.seconds, {.least = 0, .most = kDay, .is_above = true}, true));
        RANKD_RETURN_IF_ERROR(
            step.number("per_second", parsed.per_second, {.least = 0, .most = kMostPerSecond, .is_above = true}, true));
        RANKD_RETURN_IF_ERROR(step.finish());
    }
    return Status::ok();
}

Status parse_open(SpecFields& fields, Spec& spec) {
    RANKD_RETURN_IF_ERROR(choice<bool>(fields, "arrivals", spec.is_poisson, {{"constant", false}, {"poisson", true}}));
    RANKD_RETURN_IF_ERROR(parse_profile(fields, spec));
    const auto value = fields.take("burst");
    if (!value) return Status::ok();
    RANKD_ASSIGN_OR_RETURN(SpecFields burst, SpecFields::of(*value, "load.burst"));
    RANKD_RETURN_IF_ERROR(burst.number("every_ms", spec.burst.every_ms, {.least = 1, .most = kDay * 1000}, true));
    RANKD_RETURN_IF_ERROR(burst.integer("requests", spec.burst.requests, {.least = 1, .most = 1e6}, true));
    return burst.finish();
}

Status parse_load(const simdjson::dom::element& value, Spec& spec) {
    RANKD_ASSIGN_OR_RETURN(SpecFields fields, SpecFields::of(value, "load"));
    RANKD_RETURN_IF_ERROR(
        choice<Mode>(fields, "mode", spec.mode, {{"closed", Mode::kClosed}, {"open", Mode::kOpen}, {"replay", Mode::kReplay}}));
    switch (spec.mode) {
        case Mode::kClosed:
            RANKD_RETURN_IF_ERROR(parse_closed(fields, spec));
            break;
        case Mode::kOpen:
            RANKD_RETURN_IF_ERROR(parse_open(fields, spec));
            break;
        case Mode::kReplay:
            RANKD_RETURN_IF_ERROR(fields.text("file", spec.replay_file, true));
            break;
    }
    return fields.finish();
}

Status parse_retry(const simdjson::dom::element& value, RetrySpec& retry) {
    RANKD_ASSIGN_OR_RETURN(SpecFields fields, SpecFields::of(value, "retry"));
    RANKD_RETURN_IF_ERROR(fields.integer("max_attempts", retry.max_attempts, {.least = 1, .most = 16}, true));
    RANKD_RETURN_IF_ERROR(fields.number("budget", retry.budget, {.least = 0, .most = 16}, true));
    RANKD_RETURN_IF_ERROR(fields.number("backoff_ms", retry.backoff_ms, {.least = 0, .most = 60'000}, true));
    return fields.finish();
}

Status parse_groups(const simdjson::dom::element& value, const SpecFields& fields, Spec& spec) {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS || list.size() == 0) {
        return fields.unexpected("groups", "a list with the group of each entry of the corpus", value);
    }
    for (const auto& entry : list) {
        uint64_t group = 0;
        if (entry.get(group) != simdjson::SUCCESS || group >= kMostGroups) {
            return fields.unexpected("groups[" + std::to_string(spec.groups.size()) + "]", "an integer from 0 to 7", entry);
        }
        spec.groups.push_back(static_cast<uint8_t>(group));
    }
    return Status::ok();
}

/// Deadlines and turns are what an open stream of frames has.
Status check_together(const Spec& spec) {
    const bool is_rpc = spec.transport == Transport::kRpc;
    if (spec.deadline_ms > 0 && !is_rpc) return Status(Code::INVALID_ARGUMENT, "deadline_ms: only with transport \"rpc\"");
    if (spec.alternate_ms == 0) return Status::ok();
    if (!is_rpc || spec.mode == Mode::kClosed) {
        return Status(Code::INVALID_ARGUMENT, "alternate_ms: only with transport \"rpc\" and not in a closed loop");
    }
    if (!spec.groups.empty())
        return Status(Code::INVALID_ARGUMENT, "alternate_ms: its groups are the addresses, so groups must be absent");
    if (spec.addresses.size() <= kMostGroups && spec.addresses.size() <= spec.connections) return Status::ok();
    return Status(Code::INVALID_ARGUMENT, "alternate_ms: needs at most 8 addresses, and a connection for each");
}

Status check_timeline(const Spec& spec) {
    double seconds = spec.closed_seconds;
    for (const Step& step : spec.profile) seconds += step.seconds;
    if (seconds * 1000 / spec.interval_ms <= kMostIntervals) return Status::ok();
    return Status(Code::INVALID_ARGUMENT, "interval_ms: the timeline would have over a million steps; choose a wider interval");
}

}  // namespace

uint32_t count_groups(const Spec& spec) {
    if (spec.alternate_ms > 0) return static_cast<uint32_t>(spec.addresses.size());
    return spec.groups.empty() ? 0 : *std::max_element(spec.groups.begin(), spec.groups.end()) + 1u;
}

Result<Spec> parse_spec(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (const auto error = parser.parse(simdjson::padded_string(json)).get(document)) {
        return Status(Code::INVALID_ARGUMENT, std::string("the spec is no JSON: ") + simdjson::error_message(error));
    }
    Spec spec;
    RANKD_ASSIGN_OR_RETURN(SpecFields fields, SpecFields::of(document, ""));
    RANKD_ASSIGN_OR_RETURN(const auto target, fields.take_required("target"));
    RANKD_RETURN_IF_ERROR(parse_target(target, spec));
    RANKD_RETURN_IF_ERROR(fields.text("corpus", spec.corpus, true));
    RANKD_RETURN_IF_ERROR(fields.integer("connections", spec.connections, {.least = 1, .most = kMostConnections}, true));
    RANKD_ASSIGN_OR_RETURN(const auto load, fields.take_required("load"));
    RANKD_RETURN_IF_ERROR(parse_load(load, spec));
    RANKD_RETURN_IF_ERROR(fields.number("warmup_seconds", spec.warmup_seconds, {.least = 0, .most = kDay}, false));
    RANKD_RETURN_IF_ERROR(fields.number("linger_seconds", spec.linger_seconds, {.least = 0, .most = kDay}, false));
    RANKD_RETURN_IF_ERROR(fields.seed("seed", spec.seed));
    RANKD_RETURN_IF_ERROR(fields.number("interval_ms", spec.interval_ms, {.least = 1, .most = kDay * 1000}, false));
    if (const auto retry = fields.take("retry")) RANKD_RETURN_IF_ERROR(parse_retry(*retry, spec.retry));
    RANKD_RETURN_IF_ERROR(fields.number("deadline_ms", spec.deadline_ms, {.least = 1, .most = kDay * 1000}, false));
    RANKD_RETURN_IF_ERROR(fields.number("alternate_ms", spec.alternate_ms, {.least = 1, .most = kDay * 1000}, false));
    if (const auto groups = fields.take("groups")) RANKD_RETURN_IF_ERROR(parse_groups(*groups, fields, spec));
    RANKD_RETURN_IF_ERROR(fields.text("record", spec.record, false));
    RANKD_RETURN_IF_ERROR(fields.finish());
    RANKD_RETURN_IF_ERROR(check_together(spec));
    RANKD_RETURN_IF_ERROR(check_timeline(spec));
    return spec;
}

}  // namespace rankd::load
