// Golden answers against what comes out.
#include "engine/golden.h"

#include <algorithm>
#include <cmath>

namespace rankd::engine {
namespace {

class Comparison {
  public:
    Comparison(const GoldenRequest& request, double tolerance, GoldenReport& report)
        : request_(request), tolerance_(tolerance), report_(report) {}

    void compare(const pipeline::RequestState& state) {
        if (!state.is_ok()) return miss(std::string(code_name(state.status.code())) + ": " + state.status.message());
        const size_t before = report_.mismatches.size();
        if (request_.items.empty()) {
            compare_scores(state.scores);
        } else {
            compare_items(state.items);
        }
        if (report_.mismatches.size() == before) ++report_.passed;
    }

  private:
    void miss(const std::string& what) { report_.mismatches.push_back("\"" + request_.name + "\": " + what); }

    bool is_close(float actual, float expected) {
        if (std::isnan(actual) && std::isnan(expected)) return true;
        const double difference = std::abs(static_cast<double>(actual) - expected);
        if (!std::isnan(difference)) report_.largest_difference = std::max(report_.largest_difference, difference);
        return difference <= tolerance_;
    }

    std::string difference(float actual, float expected) const {
        return "is " + std::to_string(actual) + ", expected " + std::to_string(expected) + " within " +
               std::to_string(tolerance_);
    }

    void compare_scores(std::span<const float> scores) {
        if (scores.size() != request_.scores.size())
            return miss("gave " + std::to_string(scores.size()) + " scores, expected " + std::to_string(request_.scores.size()));
        for (size_t i = 0; i < scores.size(); ++i)
            if (!is_close(scores[i], request_.scores[i]))
                return miss("score " + std::to_string(i) + " " + difference(scores[i], request_.scores[i]));
    }

    void compare_items(std::span<const wire::ScoredItem> items) {
        size_t found = 0;
        for (size_t i = 0; i < request_.items.size(); ++i) {
            const auto item = std::find_if(items.begin(), items.end(),
                                           [&](const wire::ScoredItem& one) { return one.id == request_.items[i]; });
            if (item == items.end()) continue;
            ++found;
            if (i < request_.scores.size() && !is_close(item->score, request_.scores[i]))
                return miss("item " + std::to_string(i) + " " + difference(item->score, request_.scores[i]));
        }
        const double overlap = static_cast<double>(found) / static_cast<double>(request_.items.size());
        if (overlap < request_.min_overlap)
            miss(std::to_string(found) + " of " + std::to_string(request_.items.size()) + " expected items came back, at least " +
                 std::to_string(request_.min_overlap) + " of them must");
    }

    const GoldenRequest& request_;
    const double tolerance_;
    GoldenReport& report_;
};

}  // namespace

GoldenReport replay_golden(const GoldenFile& golden, Model& model, Executor& executor) {
    GoldenReport report;
    for (const GoldenRequest& request : golden.requests()) {
        Job job;
        job.body = request.body;
        const auto states = executor.run(model, request.operation, {&job, 1});
        const double tolerance = request.tolerance.value_or(model.bundle().manifest().score_tolerance);
        Comparison(request, tolerance, report).compare(states[0]);
    }
    return report;
}

}  // namespace rankd::engine
