// One loaded version of a model: its bundle, its live changes, its counters and what its work has been seen to cost.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/statistics.h"
#include "pipeline/bundle.h"
#include "pipeline/live_items.h"

namespace rankd::engine {

/// What an operation's work costs, learnt from what it did. Estimates only steer scheduling, never correctness.
class LearntCost {
  public:
    /// The estimate for a body of `body_bytes`, in µs; 0 before anything was learnt.
    double estimate_us(size_t body_bytes) const {
        return per_request_us_.load(std::memory_order_relaxed) +
               per_byte_us_.load(std::memory_order_relaxed) * static_cast<double>(body_bytes);
    }
    /// @param by_size whether the work grows with the body (candidates and rows travel in it)
    void learn(double elapsed_us, size_t requests, size_t body_bytes, bool by_size);

  private:
    std::atomic<double> per_request_us_{0};
    std::atomic<double> per_byte_us_{0};
};

class Model {
  public:
    static constexpr size_t kOperations = 9;  ///< wire::Operation numbers 1..8

    /// @param observe whether its counters count; what work costs is learnt either way
    explicit Model(std::unique_ptr<pipeline::Bundle> bundle, bool observe = true)
        : bundle_(std::move(bundle)), live_(std::make_shared<const pipeline::LiveItems>()) {
        if (observe) return;
        for (OperationCounters& counters : counters_) counters.switch_off();
    }

    const pipeline::Bundle& bundle() const { return *bundle_; }
    const std::string& name() const { return bundle_->manifest().name; }
    const std::string& version() const { return bundle_->manifest().version; }

    OperationCounters& counters(wire::Operation operation) { return counters_[static_cast<size_t>(operation)]; }
    const OperationCounters& counters(wire::Operation operation) const { return counters_[static_cast<size_t>(operation)]; }
    LearntCost& cost(wire::Operation operation) { return costs_[static_cast<size_t>(operation)]; }

    /// The changes a batch sees from its start to its end.
    std::shared_ptr<const pipeline::LiveItems> live() const {
        std::lock_guard lock(mutex_);
        return live_;
    }
    /// Both replace the snapshot whole, or leave it as it was.
    Status upsert(std::span<const uint8_t> items, uint32_t& count);
    Status remove(std::span<const uint8_t> ids, uint32_t& count);

    uint32_t golden_passed = 0;  ///< written once, while loading
    double load_ms = 0;

  private:
    std::unique_ptr<pipeline::Bundle> bundle_;
    std::array<OperationCounters, kOperations> counters_;
    std::array<LearntCost, kOperations> costs_;
    mutable std::mutex mutex_;
    std::shared_ptr<const pipeline::LiveItems> live_;
};

}  // namespace rankd::engine
