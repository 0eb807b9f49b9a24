// A run as a file: when each measured request was due and which entry of the corpus it sent.
//
// "RKDR", u32 format 1, u64 count, u64 duration of the measured part in ns, then per request u64 offset from its start in ns and
// u32 place in the corpus; little-endian, offsets in order. Places mean the corpus that the replay is given: one with the same
// number of entries, in another codec for example, may take the recorded one's seat.
#pragma once

#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/status.h"
#include "clock.h"

namespace rankd::load {

struct RecordedArrival {
    Nanos offset = 0;  ///< from the start of the measured part
    uint32_t place = 0;
};

/// A recording to replay, checked as a whole when it is opened.
class Recording {
  public:
    /// @return INVALID_ARGUMENT when the file cannot be read, is none, or names places that the corpus does not have
    static Result<Recording> open(const std::string& path, uint32_t corpus_size);

    uint64_t size() const { return size_; }
    Nanos duration() const { return duration_; }
    RecordedArrival at(uint64_t index) const;

  private:
    MappedFile file_;
    uint64_t size_ = 0;
    Nanos duration_ = 0;
};

/// @return INVALID_ARGUMENT when the file cannot be written
Status write_recording(const std::string& path, const std::vector<RecordedArrival>& arrivals, Nanos duration);

}  // namespace rankd::load
