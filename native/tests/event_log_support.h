// A folder of segments in memory whose disk fails as a test wishes, and what the tests of the event log say in short.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "store/event_log.h"
#include "tests/test.h"

namespace rankd::test {

/// What a fake disk holds and does; shared with the folder that the log owns. Thread-safe.
struct FakeDisk {
    std::mutex mutex;
    std::map<std::string, std::string> files;
    size_t room = SIZE_MAX;  ///< bytes until the disk is full
    bool is_writable = true, fails_to_sync = false, is_deleted = false;
    size_t syncs = 0, folder_checks = 0;

    template <typename Look>
    auto locked(Look look) {
        const std::lock_guard lock(mutex);
        return look();
    }
    /// All lines in the order of the segments' names.
    std::string text() {
        return locked([&] {
            std::string all;
            for (const auto& [name, content] : files) all += content;
            return all;
        });
    }
    size_t file_count() {
        return locked([&] { return files.size(); });
    }
};

inline Status disk_failure(const char* why) {
    return {Code::EVENT_LOG_FAILED, why};
}

class FakeSegment final : public store::SegmentFile {
  public:
    FakeSegment(FakeDisk& disk, std::string name) : disk_(disk), name_(std::move(name)) {}
    Status append(std::span<const uint8_t> bytes) override {
        return disk_.locked([&] {
            if (bytes.size() > disk_.room) return disk_failure("no space left");
            disk_.room -= bytes.size();
            disk_.files[name_].append(bytes.begin(), bytes.end());
            return Status::ok();
        });
    }
    Status sync() override {
        return disk_.locked([&] {
            ++disk_.syncs;
            return disk_.fails_to_sync ? disk_failure("input/output error") : Status::ok();
        });
    }
    bool is_usable() const override {
        return disk_.locked([&] { return !disk_.is_deleted; });
    }

  private:
    FakeDisk& disk_;
    const std::string name_;
};

class FakeFolder final : public store::SegmentFolder {
  public:
    explicit FakeFolder(FakeDisk& disk) : disk_(disk) {}
    Status prepare() override {
        return disk_.locked([&] {
            ++disk_.folder_checks;
            return disk_.is_writable ? Status::ok() : disk_failure("permission denied");
        });
    }
    Result<std::unique_ptr<store::SegmentFile>> create(const std::string& name) override {
        RANKD_RETURN_IF_ERROR(prepare());
        disk_.locked([&] { disk_.files[name], disk_.is_deleted = false; });
        return std::unique_ptr<store::SegmentFile>(new FakeSegment(disk_, name));
    }
    std::vector<Entry> list() const override {
        return disk_.locked([&] {
            std::vector<Entry> entries;
            for (const auto& [name, content] : disk_.files) entries.push_back({name, content.size()});
            return entries;
        });
    }
    void remove(const std::string& name) override {
        disk_.locked([&] { disk_.files.erase(name); });
    }

  private:
    FakeDisk& disk_;
};

inline std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline int64_t a_fixed_time() {
    return 1'700'000'000'000;
}

}  // namespace rankd::test
