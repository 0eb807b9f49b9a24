// Decodes a batch, runs it in steps and encodes the answers, on whichever thread owns this executor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "engine/feedback_step.h"
#include "engine/infer_step.h"
#include "engine/model.h"
#include "pipeline/pipeline_run.h"
#include "wire/envelope.h"
#include "wire/request.h"
#include "wire/response.h"

namespace rankd::engine {

/// One request as an executor takes it; the bytes outlive the batch.
struct Job {
    wire::Codec codec = wire::Codec::kMsgpack;
    wire::Framing framing = wire::Framing::kRpc;
    wire::Id request_id;
    std::span<const uint8_t> body;  ///< kBodyPadding readable bytes follow
    Micros submitted_at = 0;
    Micros deadline = 0;                   ///< 0 = none
    wire::TraceContext trace = {};         ///< from beside the body; one inside it goes before
    uint32_t json_bytes = wire::kAllJson;  ///< of an OIP body; 0: the body is the one input
};

/// Where an answer lies in the output, how it ended, and how long it took.
struct AnswerRecord {
    uint32_t offset = 0;
    uint32_t length = 0;
    Code code = Code::OK;
    uint32_t retry_after_ms = 0;
    uint32_t queue_us = 0, compute_us = 0;
    uint32_t json_bytes = 0;  ///< of an OIP answer with binary tensors
    bool is_last = true;
    bool is_streamed = false;
};

/// Not thread-safe: each belongs to one thread at a time. A batch may rest between two steps while the thread does other work
/// with other executors.
class Executor {
  public:
    /// @param log  of `feedback`; nullptr refuses it
    Executor(const wire::Limits& limits, const Clock& clock, store::EventLog* log = nullptr)
        : decoder_(limits), clock_(clock), infer_(clock), feedback_(log) {}

    /// Decodes the jobs of a batch. A job that fails does not touch the others.
    void begin(Model& model, wire::Operation operation, std::span<const Job> jobs);
    /// Goes on to the end, or until a graph has scored `max_rows` rows. @return whether work is left
    bool step(size_t max_rows);
    /// Between two steps: the scores of job `i` that stand and have not left yet, as a frame of its stream.
    /// @return length 0 when there are none, or the caller did not ask for a stream
    AnswerRecord part(size_t i, ByteBuffer& out);
    /// Ends the batch, and learns what it cost. The answers stay until `close`.
    void end();
    /// Encodes the answer of job `i`, or the last frame of its stream, and counts it; after `end`.
    AnswerRecord answer(size_t i, ByteBuffer& out);
    /// Of the `infer` job that was answered last, where it went well.
    const InferenceOutcome& inference() const { return inference_; }
    /// Every answer was taken: counts how long the stages took, and lets go of the model.
    void close();
    /// Lets go of a batch that is given up.
    void release();

    /// All of it at once.
    /// @param records one per job
    void execute(Model& model, wire::Operation operation, std::span<const Job> jobs, ByteBuffer& out,
                 std::span<AnswerRecord> records);
    /// The same without encoding and without counting, for golden requests: the states stay valid until the next call.
    std::span<const pipeline::RequestState> run(Model& model, wire::Operation operation, std::span<const Job> jobs);

    /// Time spent in steps of the batch so far.
    double busy_us() const { return static_cast<double>(busy_); }

  private:
    void run_step();
    void fail_all(Code code, const std::string& message);
    void learn();
    wire::Timing timing_of(const Job& job, Micros now) const;
    AnswerRecord fail(size_t i, const wire::Timing& timing, ByteBuffer& out);
    void log(size_t i, const RequestOutcome& outcome);
    AnswerRecord encode(size_t i, const wire::Timing& timing, bool is_last, ByteBuffer& out);

    wire::RequestDecoder decoder_;
    const Clock& clock_;
    pipeline::Scratch scratch_;
    std::vector<wire::Request> requests_;
    std::vector<Job> jobs_;
    std::vector<Micros> deadlines_;  ///< of the jobs
    /// Of the stream that the first job may be: a batch of several is answered at its end.
    struct {
        uint32_t frames = 0;
        size_t scores = 0;
    } sent_;
    Model* model_ = nullptr;
    wire::Operation operation_ = wire::Operation::kRecommend;
    std::shared_ptr<const pipeline::LiveItems> live_;  ///< keeps the ids that answers point at
    std::optional<pipeline::PipelineRun> run_;
    InferStep infer_;
    FeedbackStep feedback_;
    InferenceOutcome inference_;
    Micros started_at_ = 0, decoded_at_ = 0, ended_at_ = 0, busy_ = 0;
};

/// Encodes an error and says where it lies.
/// @param seq  frames of a stream that went before it
AnswerRecord encode_failure(const Job& job, const Status& status, ByteBuffer& out, uint32_t seq = 0);

/// The same for a job that its model never executed; it counts, with the time it waited.
AnswerRecord refuse(Model& model, wire::Operation operation, const Job& job, const Status& status, Micros now, ByteBuffer& out);

}  // namespace rankd::engine
