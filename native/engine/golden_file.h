// golden.msgpack: requests with the answers that training computed; docs/bundle.md has the format.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "pipeline/bundle.h"
#include "wire/codec.h"
#include "wire/id.h"

namespace rankd::engine {

struct GoldenRequest {
    std::string name;
    wire::Operation operation = wire::Operation::kRank;
    std::span<const uint8_t> body;  ///< msgpack
    std::vector<float> scores;
    std::vector<wire::Id> items;
    std::optional<double> tolerance;
    double min_overlap = 1.0;
};

class GoldenFile {
  public:
    /// No requests when the bundle names no such file. @return BUNDLE_MISSING_FILE or BUNDLE_INVALID when it cannot be read
    static Result<GoldenFile> open(const pipeline::Bundle& bundle);

    /// They point into this object's file.
    std::span<const GoldenRequest> requests() const { return requests_; }

  private:
    MappedFile file_;
    std::vector<GoldenRequest> requests_;
};

}  // namespace rankd::engine
