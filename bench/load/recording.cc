#include "recording.h"

#include <cstring>
#include <string_view>

#include "base/binary_file.h"

namespace rankd::load {
namespace {

constexpr std::string_view kMagic = "RKDR";
constexpr uint32_t kFormat = 1;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kArrivalBytes = 12;
/// A week: nothing that is added to such an offset overflows.
constexpr uint64_t kLongest = uint64_t{7} * 86'400 * kSecond;

template <typename T>
T read(const uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

Status invalid(const std::string& path, const std::string& what) {
    return Status(Code::INVALID_ARGUMENT, "load.file: " + path + ": " + what);
}

}  // namespace

RecordedArrival Recording::at(uint64_t index) const {
    const uint8_t* entry = file_.data() + kHeaderBytes + index * kArrivalBytes;
    return {static_cast<Nanos>(read<uint64_t>(entry)), read<uint32_t>(entry + 8)};
}

Result<Recording> Recording::open(const std::string& path, uint32_t corpus_size) {
    auto file = MappedFile::open(path);
    if (!file.is_ok()) return Status(Code::INVALID_ARGUMENT, "load.file: " + file.status().message());
    Recording recording;
    recording.file_ = std::move(file).value();
    const uint8_t* data = recording.file_.data();
    const size_t bytes = recording.file_.size();
    if (bytes < kHeaderBytes || std::memcmp(data, kMagic.data(), kMagic.size()) != 0) {
        return invalid(path, "is no recording: it must start with \"RKDR\", a format number, a count and a duration");
    }
    if (read<uint32_t>(data + 4) != kFormat) {
        return invalid(path, "has format " + std::to_string(read<uint32_t>(data + 4)) + ", expected 1");
    }
    recording.size_ = read<uint64_t>(data + 8);
    const uint64_t duration = read<uint64_t>(data + 16), held = (bytes - kHeaderBytes) / kArrivalBytes;
    if (recording.size_ == 0) return invalid(path, "holds no request");
    if (recording.size_ != held || (bytes - kHeaderBytes) % kArrivalBytes != 0) {
        return invalid(path, "says " + std::to_string(recording.size_) + " requests and has bytes for " + std::to_string(held));
    }
    if (duration > kLongest) return invalid(path, "lasts longer than a week");
    recording.duration_ = static_cast<Nanos>(duration);
    uint64_t previous = 0;
    for (uint64_t i = 0; i < recording.size_; ++i) {
        const RecordedArrival arrival = recording.at(i);
        const uint64_t offset = static_cast<uint64_t>(arrival.offset);
        if (offset < previous || offset > duration) return invalid(path, "request " + std::to_string(i) + " is out of order");
        if (arrival.place >= corpus_size) {
            return invalid(path, "request " + std::to_string(i) + " sends entry " + std::to_string(arrival.place) +
                                     " of the corpus, which has " + std::to_string(corpus_size));
        }
        previous = offset;
    }
    return recording;
}

Status write_recording(const std::string& path, const std::vector<RecordedArrival>& arrivals, Nanos duration) {
    BinaryWriter writer(path);
    writer.append(kMagic.data(), kMagic.size());
    writer.append_value(kFormat);
    writer.append_value(static_cast<uint64_t>(arrivals.size()));
    writer.append_value(static_cast<uint64_t>(duration));
    for (const RecordedArrival& arrival : arrivals) {
        writer.append_value(static_cast<uint64_t>(arrival.offset));
        writer.append_value(arrival.place);
    }
    return writer.commit().within("record");
}

}  // namespace rankd::load
