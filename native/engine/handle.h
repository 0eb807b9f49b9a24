// One JavaScript thread's way into a core: requests are collected, executed at the end of the turn, and delivered in one slab.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "engine/admission.h"
#include "engine/request_pool.h"
#include "engine/runner.h"
#include "engine/workers.h"

namespace rankd::engine {

class Core;

Status engine_closed();

/// What `submit` needs for a body that came without its frame (HTTP).
struct BareBody {
    wire::Operation operation = wire::Operation::kRecommend;
    std::string_view target;
    uint32_t deadline_ms = 0;
    std::string_view request_id;  ///< empty: the core makes one
    wire::TraceContext trace = {};
    uint32_t json_bytes = wire::kAllJson;  ///< of an OIP body; 0: the body is the one input
};

/// Numbers per delivered frame: ticket, offset, length, flags, queue_us, compute_us, json_bytes.
constexpr size_t kRecordLength = 7;

struct FlushResult {
    const ByteBuffer* slab = nullptr;
    std::span<const uint32_t> records;  ///< kRecordLength each
    bool more = false;
};

/// Everything but `complete` belongs to the one thread that attached it.
class Handle : public std::enable_shared_from_this<Handle>, private AnswerSink {
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
    /// Executes the most urgent work for about `budget`, hands to the workers what is long or too much for one turn, and returns
    /// all finished answers. The result is valid until the next flush.
    FlushResult flush(Micros budget);
    /// `wake` is called from any thread when a worker has finished something, once until the next flush.
    void on_ready(std::function<void()> wake);
    /// Drops open requests and leaves the core; may be called twice.
    void detach();

    /// Called by workers.
    void complete(std::unique_ptr<Completion> completion);

    size_t open_count() const { return pool_.open_count(); }

  private:
    OpenRequest& open(wire::Codec codec, wire::Framing framing);
    void read_request(OpenRequest& request, std::span<const uint8_t> bytes, const std::optional<BareBody>& bare);
    Status admit(OpenRequest& request, const wire::Envelope& envelope);
    Status check_queue(const OpenRequest& request) const;
    Status check_wait(const OpenRequest& request) const;
    bool runs_with_workers(const OpenRequest& request) const;

    void collect_completions();
    void settle_refused();
    void drop_unwanted(Micros now);
    void share(Micros budget);
    void hand_over();
    void run_for(Micros started, Micros budget);
    void learn_rate(Micros now);

    ByteBuffer& out_for(OpenRequest&) override { return slab_; }
    void deliver(OpenRequest& request, const AnswerRecord& record) override;
    void settle(OpenRequest& request, const Status& failure);
    void wait_for_turn(OpenRequest& request);
    void count_inference(OpenRequest& request);
    void unpin(OpenRequest& request);
    void release(OpenRequest& request);
    void forget(Completion& completion);

    std::shared_ptr<Core> core_;
    EpochReader reader_;  ///< the handle's thread; once detached, whoever holds the mutex
    RequestPool pool_;
    Runner runner_;
    WorkQueue queue_;
    Admission admission_;
    ByteBuffer slab_;
    std::vector<uint32_t> records_;

    std::vector<OpenRequest*> refused_;      ///< at the door; answered by the next flush
    std::vector<OpenRequest*> for_workers_;  ///< the next flush hands them over
    std::vector<Waiting> taken_;             ///< scratch of `share`
    size_t cancelled_ = 0;                   ///< requests in the queue that nobody waits for
    double settled_us_ = 0;                  ///< expected time of what was answered since the last look at the rate
    bool settled_unknown_ = false;           ///< some of it came before its model's cost was known
    Micros looked_at_ = 0;
    bool was_busy_ = false;  ///< the last flush left work

    std::mutex mutex_;          ///< guards what workers touch
    bool is_detached_ = false;  ///< written under the mutex, by the handle's thread
    std::vector<std::unique_ptr<Completion>> completions_, collected_;
    std::function<void()> wake_;
    bool is_woken_ = false;
};

}  // namespace rankd::engine
