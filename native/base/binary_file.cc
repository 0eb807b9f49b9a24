// Checks of mapped files, and files that appear whole or not at all.
#include "base/binary_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace rankd {

namespace {

constexpr uint32_t kFormat = 1;
constexpr uint64_t kFormatOffset = 8;

}  // namespace

Result<BinaryReader> BinaryReader::open(const std::filesystem::path& path, std::string_view magic, uint64_t header_bytes) {
    BinaryReader reader;
    reader.path_ = path;
    RANKD_ASSIGN_OR_RETURN(reader.file_, MappedFile::open(path));
    if (reader.size() < header_bytes) {
        return reader.invalid("is " + std::to_string(reader.size()) + " bytes long, shorter than its header of " +
                              std::to_string(header_bytes));
    }
    if (std::memcmp(reader.data(), magic.data(), magic.size()) != 0) {
        return reader.invalid("does not start with " + std::string(magic) + ": another kind of file");
    }
    const auto format = reader.field<uint32_t>(kFormatOffset);
    if (format != kFormat) {
        return reader.invalid("has format " + std::to_string(format) + ", this version reads " + std::to_string(kFormat));
    }
    reader.file_.prefault();
    return reader;
}

Result<const uint8_t*> BinaryReader::section(std::string_view name, uint64_t offset, uint64_t bytes, uint64_t expected) const {
    const std::string subject(name);
    if (bytes != expected) {
        return invalid(subject + " has " + std::to_string(bytes) + " bytes, expected " + std::to_string(expected));
    }
    if (offset % kSectionAlignment != 0) {
        return invalid(subject + " starts at " + std::to_string(offset) + ", not a multiple of " +
                       std::to_string(kSectionAlignment));
    }
    if (offset > size() || bytes > size() - offset) {
        return invalid(subject + " is " + std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                       ", past the file's end at " + std::to_string(size()));
    }
    return data() + offset;
}

uint64_t saturating_product(uint64_t a, uint64_t b) {
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    return b != 0 && a > kMost / b ? kMost : a * b;
}

BinaryWriter::BinaryWriter(const std::filesystem::path& path) : path_(path), temporary_(path) {
    temporary_ += ".writing-" + std::to_string(::getpid());
    file_ = std::fopen(temporary_.c_str(), "wbe");
    if (!file_) fail("create");
}

BinaryWriter::~BinaryWriter() {
    if (!file_) return;
    std::fclose(file_);
    ::unlink(temporary_.c_str());
}

void BinaryWriter::fail(const char* what) {
    if (status_.is_ok()) {
        status_ = Status(Code::INVALID_ARGUMENT,
                         std::string("cannot ") + what + " " + temporary_.string() + ": " + std::strerror(errno));
    }
}

void BinaryWriter::append(const void* data, uint64_t bytes) {
    size_ += bytes;
    if (status_.is_ok() && bytes > 0 && std::fwrite(data, 1, bytes, file_) != bytes) fail("write");
}

void BinaryWriter::pad_to(uint64_t offset) {
    static constexpr uint8_t kZeros[kSectionAlignment] = {};
    while (size_ < offset) append(kZeros, std::min(offset - size_, kSectionAlignment));
}

Status BinaryWriter::commit() {
    RANKD_RETURN_IF_ERROR(status_);
    if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail("flush");
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail("close");
    if (status_.is_ok() && ::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
    if (!status_.is_ok()) ::unlink(temporary_.c_str());
    return status_;
}

}  // namespace rankd
