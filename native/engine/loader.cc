// Bundles opened by whichever pool thread happened to be free left a fragmented heap in each of them; one thread leaves one.
#include "engine/loader.h"

#include <chrono>

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace rankd::engine {
namespace {

/// What stands in the way of tidying is a request under way or a turn: neither takes long.
constexpr auto kTidyAgainAfter = std::chrono::milliseconds(1);

void yield_to_requests() {
#if defined(__linux__)
    // On Linux the calling thread alone gets nicer.
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);
#endif
}

}  // namespace

Loader::Loader(std::function<bool()> tidy) : tidy_(std::move(tidy)), thread_([this] { serve(); }) {}

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

void Loader::nudge() {
    {
        const std::lock_guard lock(mutex_);
        is_tidy_ = false;
    }
    changed_.notify_all();
}

void Loader::tidy(std::unique_lock<std::mutex>& lock) {
    is_tidy_ = true;  // before: a nudge that comes meanwhile is for the next time
    lock.unlock();
    const bool is_done = tidy_();
    lock.lock();
    if (!is_done) is_tidy_ = false;
}

void Loader::run_job(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    (*job_)();
    lock.lock();
    // Whoever waits for the job finds free what nobody used any more.
    tidy(lock);
    job_ = nullptr;
    changed_.notify_all();
}

void Loader::serve() {
    yield_to_requests();
    const auto is_called = [this] { return is_stopping_ || job_ != nullptr; };
    std::unique_lock lock(mutex_);
    for (;;) {
        if (job_ != nullptr) {
            run_job(lock);
        } else if (is_stopping_) {
            return;
        } else if (is_tidy_) {
            changed_.wait(lock, [&] { return is_called() || !is_tidy_; });
        } else {
            tidy(lock);
            if (!is_tidy_) changed_.wait_for(lock, kTidyAgainAfter, is_called);
        }
    }
}

}  // namespace rankd::engine
