#include "engine/request_log.h"

#include <charconv>

namespace rankd::engine {
namespace {

bool is_quicker(const LoggedRequest& a, const LoggedRequest& b) {
    return a.total_us < b.total_us;
}

}  // namespace

ShortText<128> LoggedRequest::text_of(const wire::Id& id) {
    if (id.kind != wire::Id::Kind::kInteger) return ShortText<128>(id.text);
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), id.integer).ptr;
    return ShortText<128>({digits.data(), static_cast<size_t>(end - digits.data())});
}

RequestLog::Part::Part(bool shared) : is_shared(shared) {
    current.requests.reserve(kSlowest);
    before.requests.reserve(kSlowest);
}

void RequestLog::Part::turn_to(Micros number) {
    // One that was answered just before the turn may come just after it.
    if (number <= current.number) return;
    std::swap(current, before);
    current.number = number;
    current.requests.clear();
    threshold_us.store(0, std::memory_order_relaxed);
    window_end.store((number + 1) * kWindowUs, std::memory_order_relaxed);
}

void RequestLog::Part::keep_if_slow(const LoggedRequest& request) {
    std::vector<LoggedRequest>& kept = current.requests;
    if (kept.size() < kSlowest) {
        kept.push_back(request);
    } else {
        const auto quickest = std::min_element(kept.begin(), kept.end(), is_quicker);
        if (!is_quicker(*quickest, request)) return;
        *quickest = request;
    }
    if (kept.size() < kSlowest) return;
    threshold_us.store(std::min_element(kept.begin(), kept.end(), is_quicker)->total_us, std::memory_order_relaxed);
}

void RequestLog::add(const LoggedRequest& request) {
    if (!is_on_) return;
    Part& part = parts_.own();
    const std::unique_lock lock(part.mutex, std::try_to_lock);
    if (lock.owns_lock()) {
        part.turn_to(request.at / kWindowUs);
        part.keep_if_slow(request);
    }
    if (!request.trace.is_sampled) return;
    if (!lock.owns_lock() || part.traces.size() == kTraces) return part.dropped_traces.add(1, part.is_shared);
    if (part.traces.capacity() < kTraces) part.traces.reserve(kTraces);
    part.traces.push_back(request);
}

std::vector<LoggedRequest> RequestLog::slowest(Micros now) const {
    std::vector<LoggedRequest> all;
    parts_.for_each([&](Part& part) {
        all.reserve(all.size() + 2 * kSlowest);
        const std::lock_guard lock(part.mutex);
        for (const Window* window : {&part.current, &part.before})
            if (window->number >= now / kWindowUs - 1) all.insert(all.end(), window->requests.begin(), window->requests.end());
    });
    std::stable_sort(all.begin(), all.end(), [](const LoggedRequest& a, const LoggedRequest& b) { return is_quicker(b, a); });
    all.resize(std::min(all.size(), kSlowest));
    return all;
}

std::vector<LoggedRequest> RequestLog::take_traces() {
    std::vector<LoggedRequest> all;
    parts_.for_each([&](Part& part) {
        all.reserve(all.size() + kTraces);
        const std::lock_guard lock(part.mutex);
        all.insert(all.end(), part.traces.begin(), part.traces.end());
        part.traces.clear();
    });
    std::stable_sort(all.begin(), all.end(), [](const LoggedRequest& a, const LoggedRequest& b) { return a.at < b.at; });
    return all;
}

uint64_t RequestLog::dropped_traces() const {
    uint64_t total = 0;
    parts_.for_each([&](const Part& part) { total += part.dropped_traces.value(); });
    return total;
}

}  // namespace rankd::engine
