#include "corpus.h"

#include <cstring>
#include <string_view>

#include "websocket.h"

namespace rankd::load {
namespace {

constexpr std::string_view kMagic = "RKDC";
constexpr uint32_t kFormat = 1;
constexpr size_t kHeaderBytes = 12;
constexpr size_t kIdMarkOffset = 3;     ///< of 0xce, "a 32-bit unsigned integer follows"
constexpr size_t kLeastFrameBytes = 8;  ///< array mark, version, operation, id
constexpr uint8_t kArrayOf8 = 0x98;
constexpr uint8_t kUint32 = 0xce, kStr8 = 0xd9, kFixStr = 0xa0, kFixStrMask = 0xe0;

uint32_t read_u32(const uint8_t* at) {
    uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

void write_big_endian(uint8_t* at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (8 * (3 - i)));
}

/// Where the four bytes of a frame's deadline stand: behind its target, a text of up to 255 bytes. 0 when there are none.
size_t find_deadline(std::span<const uint8_t> frame) {
    if (frame.size() < kLeastFrameBytes + 2) return 0;
    const uint8_t mark = frame[kLeastFrameBytes];
    size_t at = kLeastFrameBytes + 1;
    if ((mark & kFixStrMask) == kFixStr) {
        at += mark & static_cast<uint8_t>(~kFixStrMask);
    } else if (mark == kStr8) {
        at += 1 + size_t{frame[at]};
    } else {
        return 0;
    }
    return at + 5 <= frame.size() && frame[at] == kUint32 ? at + 1 : 0;
}

Status invalid(const std::string& path, const std::string& what) {
    return Status(Code::INVALID_ARGUMENT, "corpus: " + path + ": " + what);
}

}  // namespace

Result<Corpus> Corpus::open(const std::string& path) {
    auto file = MappedFile::open(path);
    if (!file.is_ok()) return Status(Code::INVALID_ARGUMENT, "corpus: " + file.status().message());
    Corpus corpus;
    corpus.file_ = std::move(file).value();
    const std::span<const uint8_t> bytes = corpus.file_.bytes();
    if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
        return invalid(path, "is no corpus file: it must start with \"RKDC\", a format number and a count");
    }
    const uint32_t format = read_u32(bytes.data() + 4), count = read_u32(bytes.data() + 8);
    if (format != kFormat) return invalid(path, "has format " + std::to_string(format) + ", expected 1");
    if (count == 0) return invalid(path, "holds no entry");
    size_t at = kHeaderBytes;
    for (uint32_t i = 0; i < count; ++i) {
        const size_t left = bytes.size() - at;
        if (left < 4 || left - 4 < read_u32(bytes.data() + at)) {
            return invalid(path, "ends inside entry " + std::to_string(i) + " of " + std::to_string(count));
        }
        const uint32_t length = read_u32(bytes.data() + at);
        corpus.entries_.push_back(bytes.subspan(at + 4, length));
        at += 4 + size_t{length};
    }
    if (at != bytes.size()) return invalid(path, std::to_string(bytes.size() - at) + " bytes follow the last entry");
    return corpus;
}

Result<Images> Images::rpc(const Corpus& corpus, bool has_deadlines) {
    Images images;
    for (const auto entry : corpus.entries()) {
        if (entry.size() < kLeastFrameBytes || entry[0] != kArrayOf8 || entry[kIdMarkOffset] != kUint32) {
            return Status(Code::INVALID_ARGUMENT,
                          "corpus: entry " + std::to_string(images.id_offsets_.size()) +
                              " is no request frame whose id is a 32-bit integer (0x98 first, 0xce at byte 3)");
        }
        const size_t deadline = has_deadlines ? find_deadline(entry) : 0;
        if (has_deadlines && deadline == 0) {
            return Status(Code::INVALID_ARGUMENT, "corpus: entry " + std::to_string(images.id_offsets_.size()) +
                                                      " has no deadline written as a 32-bit integer, and deadline_ms needs one");
        }
        uint8_t header[kMaxFrameHeader];
        const size_t header_bytes = write_frame_header(header, kBinary, entry.size());
        if (has_deadlines) images.deadline_offsets_.push_back(static_cast<uint32_t>(header_bytes + deadline));
        images.block_.insert(images.block_.end(), header, header + header_bytes);
        images.block_.insert(images.block_.end(), entry.begin(), entry.end());
        images.starts_.push_back(images.block_.size());
        images.id_offsets_.push_back(static_cast<uint8_t>(header_bytes + kIdMarkOffset + 1));
    }
    return images;
}

std::span<const uint8_t> Images::with_id(uint32_t place, uint32_t id) {
    write_big_endian(block_.data() + starts_[place] + id_offsets_[place], id);
    return (*this)[place];
}

std::span<const uint8_t> Images::with_deadline(uint32_t place, uint32_t id, uint32_t deadline_ms) {
    write_big_endian(block_.data() + starts_[place] + deadline_offsets_[place], deadline_ms);
    return with_id(place, id);
}

Images Images::http(const Corpus& corpus, const std::string& host, const std::string& path,
                    const std::vector<std::pair<std::string, std::string>>& headers) {
    std::string head = "POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\n";
    for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
    Images images;
    for (const auto entry : corpus.entries()) {
        const std::string whole = head + "Content-Length: " + std::to_string(entry.size()) + "\r\n\r\n";
        images.block_.insert(images.block_.end(), whole.begin(), whole.end());
        images.block_.insert(images.block_.end(), entry.begin(), entry.end());
        images.starts_.push_back(images.block_.size());
    }
    return images;
}

}  // namespace rankd::load
