// The corpus file (format: bench/harness/corpus.ts) as bytes that can go to a socket as they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/status.h"

namespace rankd::load {

/// The entries of a corpus file, checked; they live as long as the object.
class Corpus {
  public:
    /// @return INVALID_ARGUMENT when the file cannot be read or is none; the message names the entry and the byte
    static Result<Corpus> open(const std::string& path);

    const std::vector<std::span<const uint8_t>>& entries() const { return entries_; }
    uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }

  private:
    MappedFile file_;
    std::vector<std::span<const uint8_t>> entries_;
};

/// Every entry as it goes over the wire, one after the other in one block: sending is one copy, or none.
class Images {
  public:
    /// WebSocket frames. @return INVALID_ARGUMENT when an entry is no request frame with a 32-bit id, or has no room for a
    /// deadline
    static Result<Images> rpc(const Corpus& corpus, bool has_deadlines);

    /// Keep-alive POST requests. `host` is the Host header.
    static Images http(const Corpus& corpus, const std::string& host, const std::string& path,
                       const std::vector<std::pair<std::string, std::string>>& headers);

    std::span<const uint8_t> operator[](uint32_t place) const {
        return {block_.data() + starts_[place], starts_[place + 1] - starts_[place]};
    }
    /// The image of a frame with this id (rpc); valid until the next call.
    std::span<const uint8_t> with_id(uint32_t place, uint32_t id);
    /// As `with_id`, with this deadline; only for images made with deadlines.
    std::span<const uint8_t> with_deadline(uint32_t place, uint32_t id, uint32_t deadline_ms);

  private:
    std::vector<uint8_t> block_;
    std::vector<size_t> starts_{0};
    std::vector<uint8_t> id_offsets_;
    std::vector<uint32_t> deadline_offsets_;  ///< empty when frames keep the deadline they came with
};

}  // namespace rankd::load
