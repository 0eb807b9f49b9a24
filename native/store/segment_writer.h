// The event log on disk: lines into segments, one after the other, synced as the policy says. One thread's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "store/segment_folder.h"

namespace rankd::store {

/// When written lines are made to outlive a power failure. Whatever it says, they outlive the process once they are written.
enum class Fsync : uint8_t {
    kNever,     ///< when the kernel sees fit
    kInterval,  ///< every `sync_interval` in which something was written
    kAlways,    ///< before an event is accepted
};

/// Milliseconds since 1970.
inline int64_t system_unix_ms() {
    using std::chrono::system_clock, std::chrono::duration_cast, std::chrono::milliseconds;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

struct SegmentOptions {
    uint64_t segment_bytes = 64ull << 20;  ///< a segment is closed before it grows beyond
    uint64_t keep_bytes = 0;               ///< of closed segments, the oldest go first; 0 = all are kept
    Fsync fsync = Fsync::kInterval;
    Micros sync_interval = 1'000'000;
    int64_t (*unix_ms)() = system_unix_ms;
};

/// Segments are `events-<unix ms of opening>-<pid>.jsonl`; the first line that comes opens one, so that a server without feedback
/// leaves no empty files. Not thread-safe.
class SegmentWriter {
  public:
    /// @param folder  outlives it, as the clock does
    SegmentWriter(SegmentFolder& folder, const SegmentOptions& options, const Clock& clock);

    Status prepare() { return folder_.prepare(); }
    /// Writes whole lines, over several segments if need be; never a part of a line, and no line twice.
    /// @param lines    each ends with '\n'
    /// @param written  bytes of them that stand now, also where it fails: the rest may be tried again
    Status write(std::span<const uint8_t> lines, size_t& written);
    /// Where the policy is kInterval and an interval has passed.
    Status sync_if_due();
    /// Now, whatever the policy.
    Status sync();
    /// When `sync_if_due` has something to do; nothing while all is synced, or need not be.
    std::optional<Micros> sync_due() const;

    uint64_t bytes() const { return bytes_; }
    uint64_t segments() const { return segments_; }
    uint64_t removed_segments() const { return removed_segments_; }

  private:
    size_t chunk_of(std::span<const uint8_t> lines) const;
    Status open();
    Status close();
    void remove_oldest();

    SegmentFolder& folder_;
    const SegmentOptions options_;
    const Clock& clock_;
    std::unique_ptr<SegmentFile> file_;
    std::string name_;       ///< of the open segment
    uint64_t size_ = 0;      ///< of the open segment
    int64_t opened_ms_ = 0;  ///< of the newest segment; the next one's is later
    std::optional<Micros> dirty_since_;
    uint64_t bytes_ = 0, segments_ = 0, removed_segments_ = 0;
};

}  // namespace rankd::store
