// A file mapped read-only for as long as the object lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/status.h"

namespace rankd {

class MappedFile {
  public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    /// @return BUNDLE_MISSING_FILE when it is not there, BUNDLE_INVALID when it cannot be mapped
    static Result<MappedFile> open(const std::filesystem::path& path);

    /// Touches every page of the first GiB, so that no request is the first to do so. What is larger is not meant to fit.
    void prefault() const;

    std::span<const uint8_t> bytes() const { return {data_, size_}; }
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }

  private:
    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
};

}  // namespace rankd
