// Reads NumPy .npy files, versions 1 to 3: numbers in C order, one or two dimensions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/status.h"

namespace rankd::tools {

/// A mapped array; the numbers are checked and converted when they are asked for.
class NpyArray {
  public:
    /// @return BUNDLE_MISSING_FILE, or INVALID_ARGUMENT naming the file and what is wrong
    static Result<NpyArray> open(const std::filesystem::path& path);

    /// "f4", "u8" and so on: little-endian, or one byte wide.
    const std::string& dtype() const { return dtype_; }
    uint64_t rows() const { return rows_; }
    uint64_t width() const { return width_; }  ///< 1 for a one-dimensional array
    uint64_t size() const { return rows_ * width_; }

    /// f4 as it is, f2 widened. @return INVALID_ARGUMENT for other types
    Result<std::vector<float>> floats() const;
    /// Any integer type whose values fit. @return INVALID_ARGUMENT naming the first value that does not
    Result<std::vector<uint32_t>> u32() const;
    Result<std::vector<uint64_t>> u64() const;

  private:
    Status invalid(const std::string& what) const;
    Status parse_header(std::string_view header);
    template <typename Unsigned>
    Result<std::vector<Unsigned>> integers() const;

    std::filesystem::path path_;
    MappedFile file_;
    std::string dtype_;
    uint64_t value_bytes_ = 0;
    uint64_t rows_ = 0;
    uint64_t width_ = 1;
    const uint8_t* data_ = nullptr;
};

}  // namespace rankd::tools
