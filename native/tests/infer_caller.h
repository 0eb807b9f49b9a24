// One handle's way of asking the scorer by `infer`, which remembers what became of everything it sent.
#pragma once

#include <map>
#include <set>
#include <string>
#include <thread>

#include "engine/inference_statistics.h"
#include "tests/engine_support.h"

namespace rankd::test {

inline constexpr const char* kScorerManifest = R"({"format": 1, "name": "scorer", "version": "1.0.0", "kind": "model",
    "graphs": {"model": {"file": "scorer.onnx"}}, "default_graph": "model", "infer": {"response_cache": true}})";

/// What became of requests, as their caller saw it.
struct Sent {
    uint64_t answered = 0, rows = 0;
    std::map<engine::FailureReason, uint64_t> failed;
    std::set<std::string> answers;  ///< without what differs from request to request
};

/// A core with the scorer, whose manifest wants a response cache; there is one where the core was given room for it.
class ScorerCore {
  public:
    explicit ScorerCore(CoreOptions options) : core_(Core::create(std::move(options))) { load(); }
    ~ScorerCore() {
        core_->close();
        FakeSessionControl::is_failing = false;
        FakeSessionControl::delay_us = 0;
    }

    void load() { CHECK_OK(core_->load(fixture_model("scorer"), kScorerManifest)); }
    void unload() { CHECK_OK(core_->unload("scorer", "1.0.0")); }
    Core& core() { return *core_; }

    engine::InferenceStatistics::Snapshot statistics() const {
        for (const engine::InferenceStats& of : core_->stats().inference)
            if (of.model == "scorer" && of.version == "1.0.0") return of.counters;
        fail(__FILE__, __LINE__, "no statistics for the scorer");
        return {};
    }

  private:
    std::shared_ptr<Core> core_;
};

/// What is asked of the scorer: `rows` rows that `first` begins.
struct Rows {
    uint32_t rows = 1;
    int first = 0;
    uint32_t width = 4;  ///< any other is refused

    std::string json() const {
        std::string body = R"({"inputs": [{"name": "rows", "datatype": "FP32", "shape": [)" + std::to_string(rows) + ", " +
                           std::to_string(width) + R"(], "data": [)" + std::to_string(first);
        for (uint32_t i = 1; i < rows * width; ++i) body += ", 1";
        return body + "]}]}";
    }
};

/// Belongs to one thread.
class InferCaller {
  public:
    explicit InferCaller(ScorerCore& scorer) : handle_(std::move(scorer.core().attach()).value()) {}
    ~InferCaller() { handle_->detach(); }

    void submit(const Rows& rows, uint32_t deadline_ms = 0) {
        const std::string body = rows.json();
        const engine::BareBody bare{wire::Operation::kInfer, "scorer", deadline_ms, "id"};
        const std::span bytes(reinterpret_cast<const uint8_t*>(body.data()), body.size());
        const int32_t ticket = handle_->submit(bytes, wire::Codec::kJson, bare);
        CHECK(ticket >= 0);
        open_.emplace(static_cast<uint32_t>(ticket), rows.rows);
    }

    void cancel_one() {
        if (open_.empty()) return;
        CHECK(handle_->cancel(static_cast<int32_t>(open_.begin()->first)));
        open_.erase(open_.begin());
        ++sent_.failed[engine::FailureReason::kCanceled];
    }

    void flush() {
        const engine::FlushResult flushed = handle_->flush(1000);
        for (size_t i = 0; i < flushed.records.size(); i += engine::kRecordLength) {
            const auto asked = open_.extract(flushed.records[i]);
            CHECK(!asked.empty());
            const auto code = static_cast<Code>(flushed.records[i + 3] & 0xFF);
            const auto answer = flushed.slab->bytes().subspan(flushed.records[i + 1], flushed.records[i + 2]);
            if (code == Code::OK)
                note_answer(asked.mapped(), {answer.begin(), answer.end()});
            else
                ++sent_.failed[engine::failure_reason(code)];
        }
    }

    /// Until nothing is open, also of what was cancelled.
    void finish() {
        while (!open_.empty() || handle_->open_count() > 0) {
            flush();
            std::this_thread::yield();
        }
    }

    const Sent& sent() const { return sent_; }

  private:
    void note_answer(uint32_t rows, const std::string& answer) {
        ++sent_.answered;
        sent_.rows += rows;
        sent_.answers.insert(answer.substr(0, answer.find("\"timing\"")));
    }

    std::shared_ptr<Handle> handle_;
    std::map<uint32_t, uint32_t> open_;  ///< rows by ticket
    Sent sent_;
};

}  // namespace rankd::test
