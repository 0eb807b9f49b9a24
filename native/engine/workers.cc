#include "engine/workers.h"

#include <algorithm>

#include "engine/handle.h"

namespace rankd::engine {
namespace {

/// Collects the answers of one step by the handle that waits for them.
class CompletionSink final : public AnswerSink {
  public:
    explicit CompletionSink(Workers& workers) : workers_(workers) {}

    ByteBuffer& out_for(OpenRequest& request) override { return completion_for(*request.owner).answers; }

    void deliver(OpenRequest& request, const AnswerRecord& record) override {
        completion_for(*request.owner).entries.push_back({&request, record});
    }

    void hand_over() {
        for (auto& [handle, completion] : open_) handle->complete(std::move(completion));
        open_.clear();
    }

  private:
    Completion& completion_for(Handle& handle) {
        const auto found = std::find_if(open_.begin(), open_.end(), [&](const Open& one) { return one.handle.get() == &handle; });
        if (found != open_.end()) return *found->completion;
        // The handle may let go of its requests as soon as it has them.
        open_.push_back({handle.shared_from_this(), workers_.take_completion()});
        return *open_.back().completion;
    }

    struct Open {
        std::shared_ptr<Handle> handle;
        std::unique_ptr<Completion> completion;
    };
    Workers& workers_;
    std::vector<Open> open_;
};

}  // namespace

Workers::Workers(unsigned threads, size_t capacity, const wire::Limits& limits, const Clock& clock, store::EventLog* log)
    : thread_count_(threads), capacity_(capacity), limits_(limits), clock_(clock), log_(log) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

size_t Workers::push(std::span<OpenRequest* const> requests) {
    size_t taken = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!is_stopping_) taken = std::min(requests.size(), capacity_ - std::min(capacity_, queue_.size()));
        for (OpenRequest* request : requests.first(taken)) queue_.push(request->lane(), request->waiting);
        publish_length();
    }
    // More than one of them finds work only where there is more than one piece of it.
    if (taken > 1) wake_.notify_all();
    if (taken == 1) wake_.notify_one();
    return taken;
}

void Workers::publish_length() {
    length_.store(queue_.size(), std::memory_order_relaxed);
    wait_us_.store(queue_.backlog_us() / std::max(1u, thread_count_), std::memory_order_relaxed);
}

void Workers::run() {
    Runner runner(limits_, clock_, log_);
    CompletionSink sink(*this);
    std::unique_lock lock(mutex_);
    for (;;) {
        Runner::Task* const task = runner.choose(queue_, BatchBounds::kNone);
        publish_length();
        if (task == nullptr) {
            if (is_stopping_) return;
            wake_.wait(lock);
            continue;
        }
        const LaneKey lane = task->lane;
        lock.unlock();
        const double us = runner.step(*task, sink);
        sink.hand_over();
        lock.lock();
        queue_.charge(lane, us);
    }
}

std::unique_ptr<Completion> Workers::take_completion() {
    const std::lock_guard lock(pool_mutex_);
    if (pool_.empty()) return std::make_unique<Completion>();
    auto completion = std::move(pool_.back());
    pool_.pop_back();
    return completion;
}

void Workers::give_back(std::unique_ptr<Completion> completion) {
    constexpr size_t kKept = 64, kKeptBytes = 1 << 20;
    completion->entries.clear();
    completion->answers.clear();
    const std::lock_guard lock(pool_mutex_);
    if (pool_.size() < kKept && completion->answers.capacity() <= kKeptBytes) pool_.push_back(std::move(completion));
}

void Workers::stop() {
    std::vector<OpenRequest*> abandoned;
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        queue_.remove_if([&](const Waiting& waiting) {
            abandoned.push_back(waiting.request);
            return true;
        });
        publish_length();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    CompletionSink sink(*this);
    for (OpenRequest* request : abandoned)
        sink.deliver(*request, encode_failure(request->job, engine_closed(), sink.out_for(*request)));
    sink.hand_over();
}

}  // namespace rankd::engine
