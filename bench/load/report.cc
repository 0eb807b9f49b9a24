#include "report.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>

namespace rankd::load {
namespace {

/// Above this a closed loop measures the generator as much as the server.
constexpr double kFull = 0.95;

[[gnu::format(printf, 2, 3)]] void append(std::string& out, const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    out += text;
}

double micros(Nanos nanos) {
    return static_cast<double>(nanos) / 1000;
}

double seconds(Nanos nanos) {
    return static_cast<double>(nanos) / static_cast<double>(kSecond);
}

std::string name_of(uint16_t code) {
    if (code == kConnectionLost) return "CONNECTION_LOST";
    return code == kProtocol ? "PROTOCOL" : std::to_string(code);
}

void append_errors(std::string& out, const Recorder& recorder) {
    const char* separator = "";
    out += "\"errors\":{";
    for (uint16_t code = 0; code < kOutcomes; ++code) {
        if (recorder.errors()[code] == 0) continue;
        append(out, "%s\"%s\":%" PRIu64, separator, name_of(code).c_str(), recorder.errors()[code]);
        separator = ",";
    }
    out += "},";
}

void append_latency(std::string& out, const Histogram& histogram) {
    append(out, "\"latency_us\":{\"min\":%.3f,\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p95\":%.3f,", micros(histogram.min()),
           histogram.mean() / 1000, micros(histogram.percentile(50)), micros(histogram.percentile(90)),
           micros(histogram.percentile(95)));
    append(out, "\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f},", micros(histogram.percentile(99)), micros(histogram.percentile(99.9)),
           micros(histogram.max()));
    const char* separator = "";
    out += "\"histogram\":[";
    histogram.for_each_bucket([&](Nanos top, uint64_t count) {
        append(out, "%s[%.3f,%" PRIu64 "]", separator, micros(top), count);
        separator = ",";
    });
    out += "],";
}

void append_groups(std::string& out, const Recorder& recorder) {
    const char* separator = "";
    out += "\"groups\":[";
    for (const Group& group : recorder.groups()) {
        append(out, "%s{\"intended\":%" PRIu64 ",\"completed\":%" PRIu64 ",\"errors\":%" PRIu64 ",", separator, group.intended,
               group.completed, group.failed);
        append_latency(out, group.histogram);
        out.back() = '}';
        separator = ",";
    }
    out += "],";
}

void append_timeline(std::string& out, const Recorder& recorder) {
    out += "\"timeline\":[";
    double at_ms = 0;
    for (const Interval& interval : recorder.timeline()) {
        append(out, "%s{\"at_ms\":%.3f,\"completed\":%" PRIu64 ",\"errors\":%" PRIu64 ",", at_ms == 0 ? "" : ",", at_ms,
               interval.completed, interval.errors);
        append(out, "\"p50_us\":%.3f,\"p99_us\":%.3f,\"max_us\":%.3f}", micros(interval.p50), micros(interval.p99),
               micros(interval.max));
        at_ms += micros(recorder.interval()) / 1000;
    }
    out += "],";
}

}  // namespace

bool is_void(const Spec& spec, const Recorder& recorder) {
    return spec.mode != Mode::kClosed &&
           static_cast<double>(recorder.missed()) > kVoidShare * static_cast<double>(recorder.intended());
}

std::string warnings(const Spec& spec, const RunResult& result) {
    const Recorder& recorder = *result.recorder;
    std::string out;
    if (is_void(spec, recorder)) {
        append(out, "void: %" PRIu64 " of %" PRIu64 " requests left over 1 ms late because the generator had no time; ",
               recorder.missed(), recorder.intended());
        out += "give it a core of its own, or ask for less\n";
    }
    if (spec.mode == Mode::kClosed && result.utilisation > kFull) {
        append(out, "the generator was busy %.0f %% of the time: the server may be faster than this run shows\n",
               result.utilisation * 100);
    }
    if (!recorder.was_answered()) out += "nothing was answered\n";
    return out;
}

std::string report(const Spec& spec, const RunResult& result) {
    const Recorder& recorder = *result.recorder;
    const double window = seconds(recorder.end() - recorder.begin());
    std::string out;
    append(out, "{\"seconds\":%.6f,\"intended\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"completed\":%" PRIu64 ",", window,
           recorder.intended(), recorder.sent(), recorder.completed());
    append_errors(out, recorder);
    append(out, "\"in_time\":%" PRIu64 ",", recorder.in_time());
    append(out, "\"unanswered\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"missed\":%" PRIu64 ",\"is_void\":%s,",
           recorder.unanswered(), recorder.retries(), recorder.missed(), is_void(spec, recorder) ? "true" : "false");
    append(out, "\"completed_per_second\":%.3f,", static_cast<double>(recorder.completed_within()) / window);
    append_latency(out, recorder.histogram());
    append_timeline(out, recorder);
    append_groups(out, recorder);
    append(out, "\"sent_bytes\":%" PRIu64 ",\"received_bytes\":%" PRIu64 ",\"generator_utilisation\":%.4f}\n", result.sent_bytes,
           result.received_bytes, result.utilisation);
    return out;
}

}  // namespace rankd::load
