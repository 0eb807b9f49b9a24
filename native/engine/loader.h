// The one thread that opens bundles and frees them, behind everything else: it yields to requests, and what it allocates stays in
// one heap.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace rankd::engine {

class Loader {
  public:
    /// @param tidy runs on the loader's thread after each job and each `nudge`, and again shortly after while it returns false
    explicit Loader(std::function<bool()> tidy);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// Runs `job` on the loader's thread and waits for it; one at a time.
    void run(const std::function<void()>& job);
    /// There is something to tidy; does not wait.
    void nudge();

  private:
    void serve();
    void run_job(std::unique_lock<std::mutex>& lock);
    void tidy(std::unique_lock<std::mutex>& lock);

    const std::function<bool()> tidy_;

    std::mutex turn_;  ///< held by the caller whose job it is
    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* job_ = nullptr;
    bool is_tidy_ = true;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace rankd::engine
