#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rankd {
namespace {

/// Closes the descriptor on every way out; a mapping outlives it.
struct Descriptor {
    explicit Descriptor(int opened) : number(opened) {}
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int number;
};

Status cannot(const char* what, const std::filesystem::path& path, int error) {
    const Code code = error == ENOENT || error == ENOTDIR ? Code::BUNDLE_MISSING_FILE : Code::BUNDLE_INVALID;
    return Status(code, std::string("cannot ") + what + " " + path.string() + ": " + std::strerror(error));
}

}  // namespace

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::prefault() const {
    constexpr size_t kPage = 4096, kMost = size_t{1} << 30;
    const volatile uint8_t* const bytes = data_;
    for (size_t at = 0; at < std::min(size_, kMost); at += kPage) static_cast<void>(bytes[at]);
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number < 0) return cannot("open", path, errno);
    struct stat info{};
    if (::fstat(file.number, &info) != 0) return cannot("stat", path, errno);
    if (!S_ISREG(info.st_mode)) return Status(Code::BUNDLE_INVALID, path.string() + " is not a regular file");

    MappedFile mapped;
    if (info.st_size == 0) return mapped;  // the kernel refuses to map nothing
    void* data = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file.number, 0);
    if (data == MAP_FAILED) return cannot("map", path, errno);
    mapped.data_ = static_cast<const uint8_t*>(data);
    mapped.size_ = static_cast<size_t>(info.st_size);
    return mapped;
}

}  // namespace rankd
