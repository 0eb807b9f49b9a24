#include "store/event_log.h"

#include <algorithm>
#include <utility>

namespace rankd::store {
namespace {

/// A queue that is full is written in less: it holds what a disk takes in a fraction of a second.
constexpr uint32_t kFullRetryMs = 100;

using std::chrono::milliseconds, std::chrono::microseconds;

}  // namespace

EventLog::EventLog(std::unique_ptr<SegmentFolder> folder, const EventLogOptions& options, const Clock& clock)
    : options_(options), clock_(clock), folder_(std::move(folder)), segments_(*folder_, options.segments, clock) {
    settle(segments_.prepare());
    thread_ = std::thread([this] { run(); });
}

Status EventLog::append(std::span<const uint8_t> lines, uint32_t events, Receipt& receipt) {
    const std::lock_guard lock(mutex_);
    if (is_closing_) return {Code::ENGINE_CLOSED, "the event log has been closed"};
    if (!fault_.is_ok()) return refused(events, &EventLogStats::refused_failed, fault_.retry_after(options_.retry_ms));
    if (queued_bytes() > 0 && queued_bytes() + lines.size() > options_.queue_bytes) {
        const std::string message = "the event log is behind: " + std::to_string(queued_bytes()) + " bytes wait to be written";
        return refused(events, &EventLogStats::refused_full, Status::overloaded(message, kFullRetryMs));
    }
    if (is_synced()) {
        if (filling_group_ == nullptr) filling_group_ = std::make_shared<Group>();
        filling_group_->events += events;
        receipt = filling_group_;
    } else {
        counts_.accepted += events;
    }
    const bool is_news = is_empty() || filling_.size() + lines.size() > options_.queue_bytes / 2;
    filling_.append(lines.data(), lines.size());
    filling_events_ += events;
    if (is_news) wake_.notify_one();
    return Status::ok();
}

Status EventLog::refused(uint32_t events, uint64_t EventLogStats::* reason, Status why) {
    counts_.*reason += events;
    return why;
}

Status EventLog::wait(const Receipt& receipt) {
    if (receipt == nullptr) return Status::ok();
    std::unique_lock lock(mutex_);
    written_down_.wait(lock, [&] { return receipt->is_done; });
    return receipt->status;
}

EventLogStats EventLog::stats() const {
    const std::lock_guard lock(mutex_);
    EventLogStats stats = counts_;
    stats.queued_bytes = queued_bytes();
    stats.queued_events = filling_events_ + writing_events_;
    if (!fault_.is_ok()) stats.fault = fault_.message();
    return stats;
}

void EventLog::close() {
    const std::lock_guard closing(close_mutex_);
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void EventLog::run() {
    std::unique_lock lock(mutex_);
    for (bool is_last = false; !is_last;) {
        wait_for_work(lock);
        if (unwritten_ == 0) take();
        // Lines that waited for the disk go before those that came later.
        is_last = is_closing_ && is_empty();
        lock.unlock();
        const Status status = write_out(is_last);
        lock.lock();
        settle(status);
        if (is_closing_ && !status.is_ok()) break;
    }
    give_up();
}

/// Returns when there is something to write, to sync or to try again.
void EventLog::wait_for_work(std::unique_lock<std::mutex>& lock) {
    if (!fault_.is_ok()) {
        // Somebody waits for lines that were accepted just before: they learn at once whether the disk takes them.
        wake_.wait_for(lock, milliseconds(options_.retry_ms), [&] { return is_closing_ || (is_synced() && !is_empty()); });
        return;
    }
    const auto has_work = [&] { return is_closing_ || !is_empty(); };
    if (const auto due = segments_.sync_due()) {
        if (!wake_.wait_for(lock, microseconds(std::max<Micros>(*due - clock_.now(), 0)), has_work)) return;
    } else {
        wake_.wait(lock, has_work);
    }
    // One write for all that comes within a moment: a wake-up and a system call cost more than a hundred lines.
    if (is_synced()) return;
    wake_.wait_for(lock, milliseconds(options_.gather_ms),
                   [&] { return is_closing_ || filling_.size() > options_.queue_bytes / 2; });
}

void EventLog::take() {
    writing_.recycle();
    std::swap(writing_, filling_);
    written_ = 0;
    unwritten_ = writing_.size();
    writing_events_ = std::exchange(filling_events_, 0);
    writing_group_ = std::exchange(filling_group_, nullptr);
}

Status EventLog::write_out(bool is_last) {
    if (written_ == writing_.size() && !segments_.sync_due()) RANKD_RETURN_IF_ERROR(segments_.prepare());
    size_t written = 0;
    const Status status = segments_.write(writing_.bytes().subspan(written_), written);
    written_ += written;
    if (!status.is_ok()) return status;
    const bool is_due = is_synced() || (is_last && options_.segments.fsync != Fsync::kNever);
    return is_due ? segments_.sync() : segments_.sync_if_due();
}

/// With the lock held, or before the thread runs.
void EventLog::settle(const Status& status) {
    fault_ = status;
    counts_.failures += !status.is_ok();
    counts_.written_bytes = segments_.bytes();
    counts_.segments = segments_.segments();
    counts_.removed_segments = segments_.removed_segments();
    if (const auto group = std::exchange(writing_group_, nullptr)) {
        (status.is_ok() ? counts_.accepted : counts_.refused_failed) += group->events;
        group->status = status.is_ok() ? status : status.retry_after(options_.retry_ms);
        group->is_done = true;
        written_down_.notify_all();
        written_ = writing_.size();  // who waited has been told: what failed is the caller's again
    }
    unwritten_ = writing_.size() - written_;
    if (unwritten_ == 0) writing_events_ = 0;
}

/// At the end: tells whoever waits, and counts what nobody can write any more.
void EventLog::give_up() {
    const auto left = writing_.bytes().subspan(written_);
    counts_.lost += static_cast<uint64_t>(std::count(left.begin(), left.end(), '\n'));
    if (filling_group_ != nullptr) {
        take();
        settle(fault_);
    } else {
        counts_.lost += filling_events_;
    }
}

}  // namespace rankd::store
