#include "store/segment_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace rankd::store {
namespace {

namespace fs = std::filesystem;

Status failed(std::string_view what, const fs::path& path, int error) {
    return {Code::EVENT_LOG_FAILED,
            "the event log cannot " + std::string(what) + " " + path.string() + ": " + std::generic_category().message(error)};
}

class File final : public SegmentFile {
  public:
    File(int descriptor, fs::path path) : descriptor_(descriptor), path_(std::move(path)) {}
    ~File() override { ::close(descriptor_); }

    Status append(std::span<const uint8_t> bytes) override {
        size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return take_back(done, errno);
            done += static_cast<size_t>(count);
        }
        size_ += static_cast<off_t>(bytes.size());
        return Status::ok();
    }

    Status sync() override {
        if (!is_named_) RANKD_RETURN_IF_ERROR(sync_folder());
        is_named_ = true;
        if (::fdatasync(descriptor_) == 0) return Status::ok();
        // What the kernel could not write it may have forgotten: a second fsync that goes well would prove nothing.
        is_broken_ = true;
        return failed("sync", path_, errno);
    }

    bool is_usable() const override {
        struct stat now = {};
        return !is_broken_ && ::fstat(descriptor_, &now) == 0 && now.st_nlink > 0;
    }

  private:
    Status take_back(size_t done, int error) {
        if (done > 0 && ::ftruncate(descriptor_, size_) != 0) is_broken_ = true;
        return failed("write", path_, error);
    }

    Status sync_folder() const {
        const fs::path folder = path_.parent_path();
        const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const int opened = errno;
        if (descriptor < 0) return failed("open", folder, opened);
        const int synced = ::fsync(descriptor) == 0 ? 0 : errno;
        ::close(descriptor);
        return synced == 0 ? Status::ok() : failed("sync", folder, synced);
    }

    const int descriptor_;
    const fs::path path_;
    off_t size_ = 0;
    bool is_named_ = false;   ///< its name is on disk
    bool is_broken_ = false;  ///< its last line may be torn, or what was written may be lost
};

class Folder final : public SegmentFolder {
  public:
    explicit Folder(fs::path path) : path_(std::move(path)) {}

    Status prepare() override {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error) return failed("make", path_, error.value());
        return ::access(path_.c_str(), W_OK | X_OK) == 0 ? Status::ok() : failed("write to", path_, errno);
    }

    Result<std::unique_ptr<SegmentFile>> create(const std::string& name) override {
        RANKD_RETURN_IF_ERROR(prepare());
        const fs::path path = path_ / name;
        const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (descriptor < 0) return failed("create", path, errno);
        return std::unique_ptr<SegmentFile>(new File(descriptor, path));
    }

    std::vector<Entry> list() const override {
        std::vector<Entry> entries;
        std::error_code error;
        for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
            std::error_code unknown;
            const uint64_t bytes = at->file_size(unknown);
            if (!unknown) entries.push_back({at->path().filename().string(), bytes});
        }
        return entries;
    }

    void remove(const std::string& name) override {
        std::error_code ignored;  // the next segment tries again
        fs::remove(path_ / name, ignored);
    }

  private:
    const fs::path path_;
};

}  // namespace

std::unique_ptr<SegmentFolder> segment_folder(std::filesystem::path path) {
    return std::make_unique<Folder>(std::move(path));
}

}  // namespace rankd::store
