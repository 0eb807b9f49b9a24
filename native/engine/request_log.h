// Requests worth telling one by one: the slowest of the last minutes, and those whose callers trace them. Fixed memory; no
// request ever waits for a lock here.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/per_writer.h"
#include "pipeline/stage_times.h"
#include "wire/codec.h"
#include "wire/id.h"
#include "wire/trace_context.h"

namespace rankd::engine {

/// Text kept in place; what is too long is cut.
template <size_t kBytes>
class ShortText {
  public:
    ShortText() = default;
    explicit ShortText(std::string_view text) : size_(static_cast<uint8_t>(std::min(text.size(), kBytes))) {
        static_assert(kBytes <= UINT8_MAX);
        std::copy_n(text.data(), size_, bytes_.data());
    }
    std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, kBytes> bytes_{};
    uint8_t size_ = 0;
};

struct LoggedRequest {
    ShortText<128> request_id;  ///< an integer as its digits; empty when the caller sent none
    ShortText<64> model;
    ShortText<32> version;
    wire::Operation operation = wire::Operation::kRecommend;
    Code code = Code::OK;
    uint32_t rows = 0;
    uint32_t batch_requests = 0;  ///< 0: it was not executed
    uint32_t queue_us = 0;
    uint32_t total_us = 0;        ///< from submit until its answer was encoded
    pipeline::StageTimes stages;  ///< of its whole batch
    wire::TraceContext trace;
    Micros at = 0;  ///< when it was answered

    static ShortText<128> text_of(const wire::Id& id);
};

class RequestLog {
  public:
    static constexpr size_t kSlowest = 32;  ///< kept per window and thread, and told
    static constexpr Micros kWindowUs = 60'000'000;
    static constexpr size_t kTraces = 256;  ///< kept per thread until they are taken

    /// @param is_on false: nothing is ever wanted
    explicit RequestLog(bool is_on = true) : is_on_(is_on) {}

    bool is_on() const { return is_on_; }
    /// Whether `add` would keep such a request; costs next to nothing where it would not.
    bool wants(uint32_t total_us, Micros now, bool is_sampled) {
        if (!is_on_) return false;
        const Part& part = parts_.own();
        return is_sampled || total_us > part.threshold_us.load(std::memory_order_relaxed) ||
               now >= part.window_end.load(std::memory_order_relaxed);
    }
    /// Keeps it among the slowest of its window, if it is one of them, and among the traces, if it is sampled.
    void add(const LoggedRequest& request);

    /// The slowest of the current window and the one before, slowest first.
    std::vector<LoggedRequest> slowest(Micros now) const;
    /// When the window before the current one began.
    static Micros since(Micros now) { return (now / kWindowUs - 1) * kWindowUs; }
    /// What was traced since the last call, in the order it was answered.
    std::vector<LoggedRequest> take_traces();
    /// Traces that found no place, or the reader at work.
    uint64_t dropped_traces() const;

  private:
    struct Window {
        Micros number = -1;  ///< its start in windows
        std::vector<LoggedRequest> requests;
    };

    struct alignas(kCacheLinePair) Part {
        explicit Part(bool shared);
        void turn_to(Micros number);
        void keep_if_slow(const LoggedRequest& request);

        const bool is_shared;
        std::atomic<uint32_t> threshold_us{0};  ///< what took no longer is not among the slowest
        std::atomic<Micros> window_end{0};
        Count dropped_traces;

        std::mutex mutex;  ///< guards what follows; writers only try it
        Window current, before;
        std::vector<LoggedRequest> traces;
    };

    const bool is_on_;
    PerWriter<Part> parts_;
};

}  // namespace rankd::engine
