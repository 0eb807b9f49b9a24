#include "store/segment_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace rankd::store {
namespace {

constexpr std::string_view kPrefix = "events-", kSuffix = ".jsonl";

std::string name_of(int64_t opened_ms) {
    std::string name(kPrefix);
    return name.append(std::to_string(opened_ms)).append("-").append(std::to_string(::getpid())).append(kSuffix);
}

/// Whatever else lies in the folder is not ours to delete.
bool is_segment(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size()) return false;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    return std::count(name.begin(), name.end(), '-') == 1 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) || c == '-'; });
}

}  // namespace

SegmentWriter::SegmentWriter(SegmentFolder& folder, const SegmentOptions& options, const Clock& clock)
    : folder_(folder), options_(options), clock_(clock) {}

Status SegmentWriter::write(std::span<const uint8_t> lines, size_t& written) {
    written = 0;
    while (written < lines.size()) {
        if (file_ != nullptr && !file_->is_usable()) file_.reset();
        if (file_ == nullptr) RANKD_RETURN_IF_ERROR(open());
        const size_t chunk = chunk_of(lines.subspan(written));
        if (chunk == 0) {
            RANKD_RETURN_IF_ERROR(close());
            continue;
        }
        RANKD_RETURN_IF_ERROR(file_->append(lines.subspan(written, chunk)));
        written += chunk;
        size_ += chunk;
        bytes_ += chunk;
        if (!dirty_since_) dirty_since_ = clock_.now();
    }
    return Status::ok();
}

/// Bytes of the whole lines that still fit the open segment; an empty segment takes at least one line, however long.
size_t SegmentWriter::chunk_of(std::span<const uint8_t> lines) const {
    const uint64_t room = options_.segment_bytes - std::min(options_.segment_bytes, size_);
    if (lines.size() <= room) return lines.size();
    const auto fitting = lines.first(static_cast<size_t>(room));
    const auto last_end = std::find(fitting.rbegin(), fitting.rend(), '\n');
    if (last_end != fitting.rend() || size_ > 0) return static_cast<size_t>(fitting.rend() - last_end);
    return static_cast<size_t>(std::find(lines.begin(), lines.end(), '\n') - lines.begin()) + 1;
}

Status SegmentWriter::open() {
    // Two within a millisecond, or a clock that was set back: names stay in the order of the lines.
    const int64_t opened_ms = std::max(options_.unix_ms(), opened_ms_ + 1);
    opened_ms_ = opened_ms;
    name_ = name_of(opened_ms);
    RANKD_ASSIGN_OR_RETURN(file_, folder_.create(name_));
    size_ = 0;
    ++segments_;
    if (options_.keep_bytes > 0) remove_oldest();
    return Status::ok();
}

/// A closed segment is whole: its lines are synced with the last of them, unless nothing ever is.
Status SegmentWriter::close() {
    const Status synced = options_.fsync == Fsync::kNever ? Status::ok() : sync();
    file_.reset();
    return synced;
}

void SegmentWriter::remove_oldest() {
    std::vector<SegmentFolder::Entry> closed = folder_.list();
    std::erase_if(closed, [&](const auto& entry) { return !is_segment(entry.name) || entry.name == name_; });
    // Their times have as many digits until the year 2286.
    std::sort(closed.begin(), closed.end(), [](const auto& a, const auto& b) { return a.name > b.name; });
    uint64_t total = 0;
    for (const auto& entry : closed) {
        total += entry.bytes;
        if (total <= options_.keep_bytes) continue;
        folder_.remove(entry.name);
        ++removed_segments_;
    }
}

std::optional<Micros> SegmentWriter::sync_due() const {
    if (options_.fsync != Fsync::kInterval || !dirty_since_) return std::nullopt;
    return *dirty_since_ + options_.sync_interval;
}

Status SegmentWriter::sync_if_due() {
    const auto due = sync_due();
    return due && clock_.now() >= *due ? sync() : Status::ok();
}

Status SegmentWriter::sync() {
    const bool is_dirty = std::exchange(dirty_since_, std::nullopt).has_value();
    if (!is_dirty || file_ == nullptr) return Status::ok();
    Status synced = file_->sync();
    if (!synced.is_ok()) file_.reset();
    return synced;
}

}  // namespace rankd::store
