// Bundles opened by whichever pool thread happened to be free left a fragmented heap in each of them; one thread leaves one.
#include "engine/loader.h"

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace rankd::engine {
namespace {

void yield_to_requests() {
#if defined(__linux__)
    // On Linux the calling thread alone gets nicer.
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);
#endif
}

}  // namespace

Loader::Loader() : thread_([this] { serve(); }) {}

Loader::~Loader() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Loader::run(const std::function<void()>& job) {
    const std::lock_guard turn(turn_);
    std::unique_lock lock(mutex_);
    job_ = &job;
    changed_.notify_all();
    changed_.wait(lock, [this] { return job_ == nullptr; });
}

void Loader::serve() {
    yield_to_requests();
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return is_stopping_ || job_ != nullptr; });
        if (job_ == nullptr) return;
        lock.unlock();
        (*job_)();
        lock.lock();
        job_ = nullptr;
        changed_.notify_all();
    }
}

}  // namespace rankd::engine
