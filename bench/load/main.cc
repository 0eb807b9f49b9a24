// rankd-load: reads a load specification, drives a server, prints what it measured.
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "report.h"
#include "run.h"
#include "spec.h"

namespace {

constexpr int kOk = 0, kRunFailed = 1, kBadSpec = 2;

constexpr const char* kHelp =
    "Usage: rankd-load [SPEC.json]\n"
    "\n"
    "Drives a server with the load that a JSON specification describes (from the file, or from standard input) and prints\n"
    "one JSON object with what it measured. Open loops are free of coordinated omission: latency counts from the moment at\n"
    "which a request was due, whatever the server did meanwhile.\n"
    "\n"
    "  --help     this text\n"
    "  --version  the version\n"
    "\n"
    "bench/harness/load.ts describes specification and result. The smallest specification:\n"
    "  {\"target\": {\"transport\": \"rpc\", \"addresses\": [\"127.0.0.1:8001\"], \"path\": \"/rpc\"}, \"corpus\": "
    "\"frames.bin\",\n"
    "   \"connections\": 4, \"load\": {\"mode\": \"open\", \"arrivals\": \"poisson\", \"profile\": [{\"seconds\": 10, "
    "\"per_second\": 1000}]}}\n"
    "\n"
    "Exit codes: 0 it ran; 1 it did not: the server cannot be reached, or nothing was answered; 2 the specification, the\n"
    "corpus or the recording is wrong, and the message names the field. Pin it to a core of its own: it asks its sockets\n"
    "instead of sleeping while something is due within a millisecond.\n";

std::optional<std::string> read_all(std::FILE* file) {
    std::string text;
    char buffer[64 * 1024];
    for (size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, count);
    if (std::ferror(file) != 0) return std::nullopt;
    return text;
}

std::optional<std::string> read_spec(const char* path) {
    if (path == nullptr || std::strcmp(path, "-") == 0) return read_all(stdin);
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return std::nullopt;
    auto text = read_all(file);
    std::fclose(file);
    return text;
}

/// As many connections as the system lets us have: the soft limit of open files is often 1,024.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const rankd::Status& status) {
    std::fprintf(stderr, "rankd-load: %s\n", status.message().c_str());
    return status.code() == rankd::Code::INVALID_ARGUMENT ? kBadSpec : kRunFailed;
}

int run(const char* path) {
    const auto text = read_spec(path);
    if (!text) {
        std::fprintf(stderr, "rankd-load: %s: %s\n", path == nullptr ? "standard input" : path, std::strerror(errno));
        return kBadSpec;
    }
    const auto spec = rankd::load::parse_spec(*text);
    if (!spec.is_ok()) return complain(spec.status());
    raise_file_limit();
    const auto result = rankd::load::run_load(*spec);
    if (!result.is_ok()) return complain(result.status());
    std::fputs(rankd::load::report(*spec, *result).c_str(), stdout);
    std::fputs(rankd::load::warnings(*spec, *result).c_str(), stderr);
    return result->recorder->was_answered() ? kOk : kRunFailed;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2) {
        std::fprintf(stderr, "rankd-load: expected one specification, got %d arguments; see --help\n", argc - 1);
        return kBadSpec;
    }
    const char* argument = argc == 2 ? argv[1] : nullptr;
    if (argument != nullptr && std::strcmp(argument, "--help") == 0) {
        std::fputs(kHelp, stdout);
        return kOk;
    }
    if (argument != nullptr && std::strcmp(argument, "--version") == 0) {
        std::printf("rankd-load %s\n", RANKD_VERSION);
        return kOk;
    }
    if (argument != nullptr && std::strncmp(argument, "--", 2) == 0) {
        std::fprintf(stderr, "rankd-load: %s is no option; see --help\n", argument);
        return kBadSpec;
    }
    return run(argument);
}
