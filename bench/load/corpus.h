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
    /// WebSocket frames. @return INVALID_ARGUMENT when an entry is no request frame with a 32-bit id
    static Result<Images> rpc(const Corpus& corpus);

    /// Keep-alive POST requests. `host` is the Host header.
    static Images http(const Corpus& corpus, const std::string& host, const std::string& path,
                       const std::vector<std::pair<std::string, std::string>>& headers);

    std::span<const uint8_t> operator[](uint32_t place) const {
        return {block_.data() + starts_[place], starts_[place + 1] - starts_[place]};
    }
    /// Where in the image of a frame its four bytes of id stand (rpc).
    size_t id_offset(uint32_t place) const { return id_offsets_[place]; }

  private:
    std::vector<uint8_t> block_;
    std::vector<size_t> starts_{0};
    std::vector<uint8_t> id_offsets_;
};

}  // namespace rankd::load
