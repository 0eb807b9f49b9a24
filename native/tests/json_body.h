// Request bodies written as JSON in tests, and answers read back as text.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "wire/request.h"

namespace rankd::test {

/// JSON text with the padding that its reader may touch.
class JsonBody {
  public:
    explicit JsonBody(std::string_view text) : bytes_(text.size() + wire::kBodyPadding), size_(text.size()) {
        std::memcpy(bytes_.data(), text.data(), text.size());
    }
    std::span<const uint8_t> bytes() const { return {bytes_.data(), size_}; }

  private:
    std::vector<uint8_t> bytes_;
    size_t size_;
};

}  // namespace rankd::test
