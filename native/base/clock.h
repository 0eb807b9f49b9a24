// Time as the engine sees it: monotonic microseconds, replaceable in tests.
#pragma once

#include <chrono>
#include <cstdint>

namespace rankd {

/// Microseconds of a monotonic clock; comparisons and differences only.
using Micros = int64_t;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Micros now() const = 0;
};

class SteadyClock final : public Clock {
  public:
    Micros now() const override {
        return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }
    static const SteadyClock& instance() {
        static const SteadyClock clock;
        return clock;
    }
};

/// Stands still until a test moves it.
class ManualClock final : public Clock {
  public:
    Micros now() const override { return now_; }
    void advance(Micros micros) { now_ += micros; }

  private:
    Micros now_ = 1'000'000;
};

}  // namespace rankd
