// How long each step of a batch took, measured at the borders between them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace rankd::pipeline {

/// The steps of a batch in the order they pass; `infer` and `feedback` have no plan and so one stage of their own.
enum class TimedStage : uint8_t { kDecode, kLookup, kRetrieve, kFilter, kScore, kSelect, kInfer, kLog, kEncode };
constexpr size_t kTimedStages = 9;
constexpr std::array<std::string_view, kTimedStages> kTimedStageNames = {"decode", "lookup", "retrieve", "filter", "score",
                                                                         "select", "infer",  "log",      "encode"};

struct StageTimes {
    std::array<uint32_t, kTimedStages> us{};
    uint16_t ran = 0;  ///< bit i: stage i was there

    bool has(size_t stage) const { return (ran >> stage & 1) != 0; }
};

/// A stopwatch with one reading per border: what one stage did not take, the next one did. It reads nothing until it is started.
class StageClock {
  public:
    /// A batch begins, at `now` of this clock.
    void start(const Clock& clock, Micros now) {
        clock_ = &clock;
        times_ = {};
        border_ = now;
    }
    void stop() { clock_ = nullptr; }
    /// The batch goes on after a rest, which no stage took.
    void go_on(Micros now) { border_ = now; }

    /// What the batch did since the last border was `stage`; a stage that it passes twice adds up.
    void pass(TimedStage stage) {
        if (clock_ != nullptr) pass(stage, clock_->now());
    }
    /// The same where the time is known.
    void pass(TimedStage stage, Micros now) {
        if (clock_ == nullptr) return;
        const auto at = static_cast<size_t>(stage);
        times_.us[at] += static_cast<uint32_t>(std::clamp<Micros>(now - border_, 0, UINT32_MAX - times_.us[at]));
        times_.ran |= static_cast<uint16_t>(1u << at);
        border_ = now;
    }

    /// Of the batch that was started last.
    const StageTimes& times() const { return times_; }

  private:
    const Clock* clock_ = nullptr;
    StageTimes times_;
    Micros border_ = 0;
};

}  // namespace rankd::pipeline
