// The compute workers and their queue: long work, and what a turn of an I/O thread has too much of, from all handles.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/byte_buffer.h"
#include "engine/admission.h"
#include "engine/runner.h"

namespace rankd::engine {

/// What a worker made of requests of one handle, which copies the answers out.
struct Completion {
    struct Entry {
        OpenRequest* request = nullptr;
        AnswerRecord record;
    };
    std::vector<Entry> entries;
    ByteBuffer answers{4096};
};

class Workers {
  public:
    /// @param log  of `feedback`; nullptr refuses it
    Workers(unsigned threads, size_t capacity, const wire::Limits& limits, const Clock& clock, store::EventLog* log);
    ~Workers() { stop(); }

    /// Takes as many as the capacity allows, from the first. @return how many
    size_t push(std::span<OpenRequest* const> requests);
    size_t queue_length() const { return length_.load(std::memory_order_relaxed); }
    /// Expected time until a request pushed now begins.
    double wait_us() const { return wait_us_.load(std::memory_order_relaxed); }
    unsigned thread_count() const { return thread_count_; }

    /// An empty one whose buffers have the sizes of earlier ones.
    std::unique_ptr<Completion> take_completion();
    void give_back(std::unique_ptr<Completion> completion);

    /// Lets running work end, answers what still waits with ENGINE_CLOSED, joins the threads. May be called twice.
    void stop();

  private:
    void run();
    void publish_length();

    const unsigned thread_count_;
    const size_t capacity_;
    const wire::Limits limits_;
    const Clock& clock_;
    store::EventLog* const log_;
    std::mutex mutex_;
    std::condition_variable wake_;
    WorkQueue queue_;
    bool is_stopping_ = false;
    std::atomic<size_t> length_{0};
    std::atomic<double> wait_us_{0};
    std::mutex pool_mutex_;
    std::vector<std::unique_ptr<Completion>> pool_;
    std::vector<std::thread> threads_;
};

}  // namespace rankd::engine
