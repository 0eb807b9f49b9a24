// One JavaScript thread's way into a core: requests are collected, executed at the end of the turn, and delivered in one slab.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "engine/executor.h"
#include "engine/open_request.h"
#include "engine/workers.h"

namespace rankd::engine {

class Core;

Status deadline_exceeded();
Status engine_closed();

/// What `submit` needs for a body that came without its frame (HTTP).
struct BareBody {
    wire::Operation operation = wire::Operation::kRecommend;
    std::string_view target;
    uint32_t deadline_ms = 0;
    std::string_view request_id;  ///< empty: the core makes one
};

struct FlushResult {
    const ByteBuffer* slab = nullptr;
    std::span<const uint32_t> records;  ///< [ticket, offset, length, flags] each
    bool more = false;
};

/// Everything but `complete` belongs to the one thread that attached it.
class Handle : public std::enable_shared_from_this<Handle> {
  public:
    explicit Handle(std::shared_ptr<Core> core);
    ~Handle();
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    /// Copies the bytes and gives a ticket that is settled exactly once by a later flush; errors of the request are answers too.
    /// @return a ticket ≥ 0, or minus a code when nothing was taken: ENGINE_CLOSED, OVERLOADED
    int32_t submit(std::span<const uint8_t> bytes, wire::Codec codec, const std::optional<BareBody>& bare);
    /// @return whether the ticket was open; no record comes for it any more
    bool cancel(int32_t ticket);
    /// Executes the most urgent short work for about `budget`, hands long work to the workers, and returns all finished answers.
    /// The result is valid until the next flush.
    FlushResult flush(Micros budget);
    /// `wake` is called from any thread when long work has finished, once until the next flush.
    void on_ready(std::function<void()> wake);
    /// Drops open requests and leaves the core; may be called twice.
    void detach();

    /// Called by workers.
    void complete(Completion completion);

    size_t open_count() const { return open_count_; }

  private:
    OpenRequest& take_slot();
    void release(OpenRequest& request);
    void read_request(OpenRequest& request, std::span<const uint8_t> bytes, const std::optional<BareBody>& bare);
    Status admit(OpenRequest& request, std::string_view target, uint32_t deadline_ms, uint8_t priority);

    void collect_completions();
    void sort_out_waiting(Micros now);
    void settle(OpenRequest& request, const Status& failure);
    void deliver(OpenRequest& request, const AnswerRecord& record);
    /// Moves the requests that run with `waiting_[first]` into `batch_`. @return their estimated cost
    double form_batch(size_t first, double budget_us);
    void execute_batch();
    void hand_over_batch();
    double backlog_us() const;

    std::shared_ptr<Core> core_;
    Executor executor_;
    ByteBuffer slab_;
    std::vector<uint32_t> records_;

    std::vector<std::unique_ptr<OpenRequest>> slots_;
    std::vector<uint32_t> free_slots_;
    std::vector<OpenRequest*> waiting_;
    std::vector<OpenRequest*> batch_;
    std::vector<Job> jobs_;
    std::vector<AnswerRecord> answers_;
    size_t open_count_ = 0;
    bool is_detached_ = false;

    std::mutex mutex_;  ///< guards what workers touch
    std::vector<Completion> completions_;
    std::function<void()> wake_;
    bool is_woken_ = false;
};

}  // namespace rankd::engine
