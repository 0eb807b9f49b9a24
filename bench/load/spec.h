// What a run is asked to do: the C++ side of LoadSpec in bench/harness/load.ts, checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rankd::load {

enum class Transport : uint8_t { kRpc, kHttp };
enum class Mode : uint8_t { kClosed, kOpen, kReplay };

/// A constant rate for a while.
struct Step {
    double seconds = 0;
    double per_second = 0;
};

/// `requests` at once, every `every_ms`; none when `requests` is 0.
struct Burst {
    double every_ms = 0;
    uint32_t requests = 0;
};

struct RetrySpec {
    uint32_t max_attempts = 1;  ///< the first one counts: 1 means never again
    double budget = 0;
    double backoff_ms = 0;
};

struct Spec {
    Transport transport = Transport::kRpc;
    std::vector<std::string> addresses;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string corpus;
    uint32_t connections = 1;
    double deadline_ms = 0;       ///< rpc: written into every frame; 0 leaves frames as they are
    std::vector<uint8_t> groups;  ///< of each entry of the corpus, or empty
    double alternate_ms = 0;      ///< rpc, open: the addresses take turns of this length; 0 uses all of them all the time

    Mode mode = Mode::kClosed;
    uint32_t in_flight = 1;     ///< closed: per connection
    double closed_seconds = 0;  ///< closed
    bool is_poisson = false;    ///< open
    std::vector<Step> profile;  ///< open
    Burst burst;                ///< open
    std::string replay_file;    ///< replay

    double warmup_seconds = 0.5;
    double linger_seconds = 5;
    uint64_t seed = 1;
    double interval_ms = 100;
    RetrySpec retry;
    std::string record;  ///< path, or empty
};

/// Requests are told apart by group: by entry of the corpus, by the address whose turn it is, or not at all.
constexpr uint32_t kMostGroups = 8;
uint32_t count_groups(const Spec& spec);

/// Reads and checks a spec. @return INVALID_ARGUMENT whose message names the field, what was expected and what came
Result<Spec> parse_spec(std::string_view json);

}  // namespace rankd::load
