// The event log: any thread appends lines, one thread of its own writes them down.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "store/segment_writer.h"

namespace rankd::store {

struct EventLogOptions {
    SegmentOptions segments;
    uint64_t queue_bytes = 16ull << 20;  ///< accepted lines that may wait to be written
    uint32_t retry_ms = 1000;            ///< after a failure the disk is tried again so often
    uint32_t gather_ms = 10;             ///< more lines are waited for before a write; not where every write is synced
};

struct EventLogStats {
    uint64_t accepted = 0;                          ///< events
    uint64_t refused_full = 0, refused_failed = 0;  ///< events, by why: the queue, the disk
    uint64_t lost = 0;                              ///< accepted events that could not be written before the log was closed
    uint64_t queued_events = 0, queued_bytes = 0;   ///< accepted and not yet written
    uint64_t written_bytes = 0;
    uint64_t segments = 0, removed_segments = 0;  ///< opened; removed for want of room (`keep_bytes`)
    uint64_t failures = 0;                        ///< times that the disk refused
    std::string fault;                            ///< why nothing can be written at this moment; empty when all is well
};

/// Events that the disk refuses are not lost: they wait, and nothing new is accepted until it takes them. Where each is synced
/// before it is accepted, they are refused instead. Thread-safe throughout.
class EventLog {
    struct Group;

  public:
    /// What `wait` waits for.
    using Receipt = std::shared_ptr<const Group>;

    EventLog(std::unique_ptr<SegmentFolder> folder, const EventLogOptions& options, const Clock& clock = SteadyClock::instance());
    ~EventLog() { close(); }
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// Whether an event counts as accepted only when `wait` says so.
    bool is_synced() const { return options_.segments.fsync == Fsync::kAlways; }
    int64_t unix_ms() const { return options_.segments.unix_ms(); }

    /// Takes whole lines, all or none of them; allocates nothing once the buffers have grown, unless `is_synced`.
    /// @param lines    `events` of them, each ends with '\n'
    /// @param receipt  where `is_synced`: for `wait`
    /// @return OVERLOADED (the queue is full), EVENT_LOG_FAILED (the disk), ENGINE_CLOSED
    Status append(std::span<const uint8_t> lines, uint32_t events, Receipt& receipt);
    /// Returns when the lines are on disk. @return EVENT_LOG_FAILED: they are not, or nobody can tell
    Status wait(const Receipt& receipt);

    EventLogStats stats() const;
    /// Writes down what was accepted, then ends the thread. May be called twice.
    void close();

  private:
    /// Lines that are written and synced together.
    struct Group {
        uint64_t events = 0;
        bool is_done = false;
        Status status;
    };

    bool is_empty() const { return filling_.size() == 0; }
    uint64_t queued_bytes() const { return filling_.size() + unwritten_; }
    Status refused(uint32_t events, uint64_t EventLogStats::* reason, Status why);
    void run();
    void wait_for_work(std::unique_lock<std::mutex>& lock);
    void take();
    Status write_out(bool is_last);
    void settle(const Status& status);
    void give_up();

    const EventLogOptions options_;
    const Clock& clock_;
    const std::unique_ptr<SegmentFolder> folder_;
    SegmentWriter segments_;  ///< the thread's, as the next two
    ByteBuffer writing_;      ///< behind `written_` it waits for the disk
    size_t written_ = 0;

    mutable std::mutex mutex_;  ///< guards the following
    std::condition_variable wake_, written_down_;
    ByteBuffer filling_;
    uint64_t filling_events_ = 0, writing_events_ = 0;
    uint64_t unwritten_ = 0;  ///< bytes of `writing_`
    std::shared_ptr<Group> filling_group_, writing_group_;
    Status fault_;
    EventLogStats counts_;
    bool is_closing_ = false;

    std::mutex close_mutex_;
    std::thread thread_;
};

}  // namespace rankd::store
