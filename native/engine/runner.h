// What one thread computes: it begins the most urgent batch, or goes on with one that it has begun, a step at a time.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "engine/open_request.h"

namespace rankd::engine {

Status deadline_exceeded();

/// Whether a request's own rows are what is scored, so that it can be cut into slices.
constexpr bool can_be_cut(wire::Operation operation) {
    return operation == wire::Operation::kRank || operation == wire::Operation::kScore;
}
/// Whether a request of that expected time is cut into slices.
bool is_large(wire::Operation operation, double cost_us);

/// Takes what a runner has made of requests.
class AnswerSink {
  public:
    /// Where the next answer of this request is to be written.
    virtual ByteBuffer& out_for(OpenRequest& request) = 0;
    /// An answer lies in `out_for`'s buffer. Exactly one is the last of its request; of length 0 when nobody wants it any more.
    virtual void deliver(OpenRequest& request, const AnswerRecord& record) = 0;

  protected:
    ~AnswerSink() = default;
};

/// Belongs to one thread.
class Runner {
  public:
    /// @param log  of `feedback`; nullptr refuses it
    Runner(const wire::Limits& limits, const Clock& clock, store::EventLog* log);

    /// A batch from when it was taken to its last answer.
    struct Task {
        LaneKey lane;
        Cut cut = Cut::kIdle;
        std::vector<OpenRequest*> requests;
        Waiting first;           ///< the most urgent of them
        double expected_us = 0;  ///< of a large request
        bool is_begun = false;
        bool is_taken = false;
        std::unique_ptr<Executor> executor;
    };

    /// The most urgent work of `queue` and of what rests here, or nullptr. What comes from the queue leaves it.
    /// @param budget_us  left in this turn: a batch takes no longer, if it can help it
    Task* choose(WorkQueue& queue, double budget_us);
    /// Computes one slice of a large request, or the whole of a batch. @return the time it took, in µs
    double step(Task& task, AnswerSink& sink);

    bool has_resting() const;

  private:
    /// One thread has so many large requests under way; the last executor is for everything else.
    static constexpr size_t kTasks = 4;

    Micros urgency_of(const Task& task, Micros now) const;
    Task* most_urgent_resting(Micros now);
    Task* free_task();
    bool can_begin_large() const;
    bool passes(const WorkQueue& queue, const Task& resting, Micros now, WorkQueue::Head& head) const;
    bool begin(Task& task, AnswerSink& sink);
    bool slice(Task& task, AnswerSink& sink);
    void finish(Task& task, AnswerSink& sink);

    const Clock& clock_;
    std::array<Task, kTasks> tasks_;
    std::vector<Waiting> batch_;
    std::vector<Job> jobs_;
};

}  // namespace rankd::engine
