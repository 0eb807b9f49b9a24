// Compute workers: each has its own executor and takes the most urgent task whenever it is free.
#include "engine/workers.h"

#include <algorithm>

#include "engine/handle.h"

namespace rankd::engine {

Workers::Workers(unsigned threads, size_t capacity, const wire::Limits& limits, const Clock& clock)
    : thread_count_(threads), capacity_(capacity), limits_(limits), clock_(clock) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

bool Workers::push(Task& task) {
    {
        std::lock_guard lock(mutex_);
        if (is_stopping_ || queued_requests_ + task.requests.size() > capacity_) return false;
        queued_requests_ += task.requests.size();
        queue_.push_back(std::move(task));
    }
    wake_.notify_one();
    return true;
}

size_t Workers::queue_length() const {
    std::lock_guard lock(mutex_);
    return queued_requests_;
}

Task Workers::take_most_urgent() {
    const auto found =
        std::min_element(queue_.begin(), queue_.end(), [](const Task& a, const Task& b) { return a.urgency < b.urgency; });
    Task task = std::move(*found);
    queue_.erase(found);
    queued_requests_ -= task.requests.size();
    return task;
}

void Workers::run() {
    Executor executor(limits_, clock_);
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
            if (is_stopping_) return;
            task = take_most_urgent();
        }
        finish(executor, clock_, std::move(task));
    }
}

void Workers::finish(Executor& executor, const Clock& clock, Task task) {
    Completion completion;
    completion.records.resize(task.requests.size());
    std::vector<Job> jobs;
    std::vector<size_t> places;
    const Micros now = clock.now();
    for (size_t i = 0; i < task.requests.size(); ++i) {
        const OpenRequest& request = *task.requests[i];
        if (request.is_cancelled.load(std::memory_order_acquire)) continue;
        if (request.is_expired(now)) {
            completion.records[i] = encode_failure(request.job, deadline_exceeded(), completion.answers);
            task.model->counters(task.operation).record({Code::DEADLINE_EXCEEDED, 0, {}, 0});
            continue;
        }
        jobs.push_back(request.job);
        places.push_back(i);
    }
    if (!jobs.empty()) {
        std::vector<AnswerRecord> records(jobs.size());
        executor.execute(*task.model, task.operation, jobs, completion.answers, records);
        for (size_t i = 0; i < records.size(); ++i) completion.records[places[i]] = records[i];
    }
    completion.requests = std::move(task.requests);
    task.handle->complete(std::move(completion));
}

void Workers::stop() {
    std::vector<Task> abandoned;
    {
        std::lock_guard lock(mutex_);
        is_stopping_ = true;
        abandoned.swap(queue_);
        queued_requests_ = 0;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (Task& task : abandoned) {
        Completion completion;
        for (const OpenRequest* request : task.requests)
            completion.records.push_back(encode_failure(request->job, engine_closed(), completion.answers));
        completion.requests = std::move(task.requests);
        task.handle->complete(std::move(completion));
    }
}

}  // namespace rankd::engine
