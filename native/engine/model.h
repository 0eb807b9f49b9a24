// One loaded version of a model: its bundle, its live changes, its counters and what its work has been seen to cost.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/cost_model.h"
#include "engine/inference_statistics.h"
#include "engine/pace.h"
#include "engine/request_log.h"
#include "engine/request_sample.h"
#include "engine/response_cache.h"
#include "engine/statistics.h"
#include "engine/work_queue.h"
#include "pipeline/bundle.h"
#include "pipeline/live_items.h"

namespace rankd::engine {

class Model : public std::enable_shared_from_this<Model> {
  public:
    static constexpr size_t kOperations = 9;  ///< wire::Operation numbers 1..8

    /// @param log  of its core; off, the counters do not count either. What work costs is learnt all the same
    explicit Model(std::unique_ptr<pipeline::Bundle> bundle,
                   std::shared_ptr<RequestLog> log = std::make_shared<RequestLog>(false))
        : bundle_(std::move(bundle)),
          log_(std::move(log)),
          inference_(std::make_shared<InferenceStatistics>(log_->is_on())),
          live_(std::make_shared<const pipeline::LiveItems>()) {
        if (log_->is_on()) return;
        for (OperationCounters& counters : counters_) counters.switch_off();
    }

    ~Model() {
        if (response_cache_) response_cache_->drop(generation_);
    }
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    const pipeline::Bundle& bundle() const { return *bundle_; }
    const std::string& name() const { return bundle_->manifest().name; }
    const std::string& version() const { return bundle_->manifest().version; }

    OperationCounters& counters(wire::Operation operation) { return counters_[static_cast<size_t>(operation)]; }
    const OperationCounters& counters(wire::Operation operation) const { return counters_[static_cast<size_t>(operation)]; }
    const pipeline::QueueSpec& queue() const { return bundle_->manifest().infer.queue; }
    InferenceStatistics& inference() { return *inference_; }
    const InferenceStatistics& inference() const { return *inference_; }
    /// Goes on counting where a model that this one is to replace has come to; before this one serves.
    void continue_inference(const Model& replaced) { inference_ = replaced.inference_; }
    /// Answers `infer` from there; before this one serves.
    void use_response_cache(std::shared_ptr<ResponseCache> cache) { response_cache_ = std::move(cache); }
    /// nullptr: every request is computed.
    ResponseCache* response_cache() const { return response_cache_.get(); }
    /// Another for every model that was ever loaded: what one of them answered is no other's answer.
    uint64_t generation() const { return generation_; }

    CostModel& cost(wire::Operation operation) { return costs_[static_cast<size_t>(operation)]; }

    Pace& pace() { return pace_; }
    const Pace& pace() const { return pace_; }
    void count_cut(wire::Operation operation, Cut cut) {
        if (counters(operation).is_on())
            cuts_[static_cast<size_t>(operation)][static_cast<size_t>(cut)].fetch_add(1, std::memory_order_relaxed);
        if (cut == Cut::kCost) pace_.was_cut();
    }
    uint64_t cuts(wire::Operation operation, size_t cut) const {
        return cuts_[static_cast<size_t>(operation)][cut].load(std::memory_order_relaxed);
    }

    RequestLog& log() { return *log_; }

    /// The changes a batch sees from its start to its end.
    std::shared_ptr<const pipeline::LiveItems> live() const {
        std::lock_guard lock(mutex_);
        return live_;
    }
    /// Both replace the snapshot whole, or leave it as it was.
    Status upsert(std::span<const uint8_t> items, uint32_t& count);
    Status remove(std::span<const uint8_t> ids, uint32_t& count);

    RequestSample& sample(wire::Operation operation) { return samples_[static_cast<size_t>(operation)]; }
    const RequestSample& sample(wire::Operation operation) const { return samples_[static_cast<size_t>(operation)]; }

    uint32_t golden_passed = 0;  ///< written once, while loading, as the following
    uint32_t warmed_requests = 0, warmed_failures = 0;
    double load_ms = 0;

  private:
    static uint64_t next_generation();

    std::unique_ptr<pipeline::Bundle> bundle_;
    std::shared_ptr<RequestLog> log_;
    std::array<OperationCounters, kOperations> counters_;
    std::shared_ptr<InferenceStatistics> inference_;
    std::shared_ptr<ResponseCache> response_cache_;
    const uint64_t generation_ = next_generation();
    std::array<CostModel, kOperations> costs_;
    std::array<std::array<std::atomic<uint64_t>, kCuts>, kOperations> cuts_{};
    Pace pace_;
    std::array<RequestSample, kOperations> samples_;
    mutable std::mutex mutex_;
    std::shared_ptr<const pipeline::LiveItems> live_;
};

}  // namespace rankd::engine
