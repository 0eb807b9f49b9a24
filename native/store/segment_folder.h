// Where the event log's segments lie: the file system, or what a test puts in its place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace rankd::store {

/// One segment, open for appending. Every failure is EVENT_LOG_FAILED with the system's reason.
class SegmentFile {
  public:
    virtual ~SegmentFile() = default;
    /// All of it, or nothing: what a full disk took of it is cut off again.
    virtual Status append(std::span<const uint8_t> bytes) = 0;
    /// Returns once everything appended, and the file's name, would outlive a power failure.
    virtual Status sync() = 0;
    /// Whether more may be appended: false once somebody has deleted the file, or half a line could not be cut off.
    virtual bool is_usable() const = 0;
};

class SegmentFolder {
  public:
    struct Entry {
        std::string name;
        uint64_t bytes = 0;
    };

    virtual ~SegmentFolder() = default;
    /// Makes the folder where it is missing, and checks that files may be made in it.
    virtual Status prepare() = 0;
    /// A new file; never one that exists, which is an error like any other.
    virtual Result<std::unique_ptr<SegmentFile>> create(const std::string& name) = 0;
    /// The files in it, in any order; none where it cannot be read.
    virtual std::vector<Entry> list() const = 0;
    virtual void remove(const std::string& name) = 0;
};

/// The real one.
std::unique_ptr<SegmentFolder> segment_folder(std::filesystem::path path);

}  // namespace rankd::store
