// Decodes a batch, runs its pipeline and encodes the answers, on whichever thread owns this executor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "engine/model.h"
#include "pipeline/batch.h"
#include "wire/envelope.h"
#include "wire/request.h"
#include "wire/response.h"

namespace rankd::engine {

/// One request as an executor takes it; the bytes outlive the call.
struct Job {
    wire::Codec codec = wire::Codec::kMsgpack;
    wire::Framing framing = wire::Framing::kRpc;
    wire::Id request_id;
    std::span<const uint8_t> body;  ///< kBodyPadding readable bytes follow
    Micros submitted_at = 0;
};

/// Where the answer of a job lies in the output, and how it ended.
struct AnswerRecord {
    uint32_t offset = 0;
    uint32_t length = 0;
    Code code = Code::OK;
    uint32_t retry_after_ms = 0;
};

/// Not thread-safe: one per I/O thread and one per compute worker.
class Executor {
  public:
    Executor(const wire::Limits& limits, const Clock& clock) : decoder_(limits), clock_(clock) {}

    /// Answers every job, in order, into `out`; a job that fails does not touch the others.
    /// @param records one per job
    void execute(Model& model, wire::Operation operation, std::span<const Job> jobs, ByteBuffer& out,
                 std::span<AnswerRecord> records);

    /// The same without encoding, for golden requests: the states stay valid until the next call.
    std::span<const pipeline::RequestState> run(Model& model, wire::Operation operation, std::span<const Job> jobs);

  private:
    wire::RequestDecoder decoder_;
    const Clock& clock_;
    pipeline::Scratch scratch_;
    std::vector<wire::Request> requests_;
    std::shared_ptr<const pipeline::LiveItems> live_;  ///< keeps the ids that answers point at
};

/// Encodes an error and says where it lies.
AnswerRecord encode_failure(const Job& job, const Status& status, ByteBuffer& out);

}  // namespace rankd::engine
