// The one thread that opens bundles, behind everything else: it yields to requests, and what it allocates stays in one heap.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace rankd::engine {

class Loader {
  public:
    Loader();
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// Runs `job` on the loader's thread and waits for it; one at a time.
    void run(const std::function<void()>& job);

  private:
    void serve();

    std::mutex turn_;  ///< held by the caller whose job it is
    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* job_ = nullptr;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace rankd::engine
