// The compute workers and their bounded queue: work too long for an I/O thread waits here, most urgent first.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/byte_buffer.h"
#include "engine/open_request.h"

namespace rankd::engine {

class Handle;

/// Requests of one handle, model and operation that run as one batch.
struct Task {
    std::shared_ptr<Handle> handle;
    std::shared_ptr<Model> model;
    wire::Operation operation = wire::Operation::kRecommend;
    std::vector<OpenRequest*> requests;
    Micros urgency = 0;
};

/// What a worker made of a task; its handle copies the answers out.
struct Completion {
    std::vector<OpenRequest*> requests;
    std::vector<AnswerRecord> records;  ///< one per request; length 0 for a cancelled one
    ByteBuffer answers{4096};
};

class Workers {
  public:
    Workers(unsigned threads, size_t capacity, const wire::Limits& limits, const Clock& clock);
    ~Workers() { stop(); }

    /// @return false when the queue is full: the task is untouched
    bool push(Task& task);
    size_t queue_length() const;  ///< requests, not tasks
    unsigned thread_count() const { return thread_count_; }

    /// Lets running tasks end, answers those still waiting with ENGINE_CLOSED, joins the threads. May be called twice.
    void stop();

  private:
    void run();
    Task take_most_urgent();
    static void finish(Executor& executor, const Clock& clock, Task task);

    const unsigned thread_count_;
    const size_t capacity_;
    const wire::Limits limits_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Task> queue_;
    size_t queued_requests_ = 0;
    bool is_stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace rankd::engine
