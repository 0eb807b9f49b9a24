// golden.msgpack: requests with the answers that training computed; docs/bundle.md has the format.
#include "engine/golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/mapped_file.h"
#include "wire/msgpack_reader.h"

namespace rankd::engine {
namespace {

using wire::Id;
using wire::MsgpackReader;
using wire::MsgpackValue;
using wire::ValueType;

struct GoldenEntry {
    std::string name;
    wire::Operation operation = wire::Operation::kRank;
    std::span<const uint8_t> body;
    std::vector<float> scores;
    std::vector<Id> items;
    std::optional<double> tolerance;
    double min_overlap = 1.0;
};

/// Entries point into the mapped file.
class GoldenReader {
  public:
    explicit GoldenReader(std::span<const uint8_t> bytes) : bytes_(bytes), reader_(bytes, Code::BUNDLE_INVALID, failure_) {}

    Result<std::vector<GoldenEntry>> read() {
        MsgpackValue list;
        if (!reader_.next(list)) return failure_;
        if (list.type() != ValueType::kList) return invalid("must be a list");
        std::vector<GoldenEntry> entries;
        for (size_t i = 0; i < list.size(); ++i) {
            GoldenEntry entry;
            if (!read_entry(entry))
                return failure_.is_ok() ? invalid("entry " + std::to_string(i) + " is not a golden request") : failure_;
            entries.push_back(std::move(entry));
        }
        return entries;
    }

  private:
    static Status invalid(const std::string& what) { return {Code::BUNDLE_INVALID, "golden.msgpack: " + what}; }

    bool read_entry(GoldenEntry& entry) {
        MsgpackValue map, value;
        if (!reader_.next(map) || map.type() != ValueType::kMap) return false;
        for (size_t i = 0; i < map.size(); ++i) {
            std::string_view key;
            if (!reader_.next_key(key)) return false;
            if (key == "body") {
                const size_t start = reader_.position();
                if (!reader_.skip(16)) return false;
                entry.body = bytes_.subspan(start, reader_.position() - start);
                continue;
            }
            if (!reader_.next(value)) return false;
            if (key == "name" && value.type() == ValueType::kText) {
                entry.name = value.text();
            } else if (key == "op" && value.type() == ValueType::kText) {
                const auto operation = wire::operation_from_name(value.text());
                if (!operation) return false;
                entry.operation = *operation;
            } else if (key == "expect" && value.type() == ValueType::kMap) {
                if (!value.for_each_member(
                        [&](std::string_view name, const MsgpackValue& member) { return read_expected(name, member, entry); }))
                    return false;
            } else {
                return false;
            }
        }
        return !entry.body.empty();
    }

    static bool read_expected(std::string_view key, const MsgpackValue& value, GoldenEntry& entry) {
        if (key == "scores" && value.type() == ValueType::kBinary && value.binary().size() % sizeof(float) == 0) {
            entry.scores.resize(value.binary().size() / sizeof(float));
            std::memcpy(entry.scores.data(), value.binary().data(), value.binary().size());
            return true;
        }
        if (key == "items" && value.type() == ValueType::kList)
            return value.for_each_element([&](const MsgpackValue& id) {
                const auto integer = wire::unsigned_integer(id);
                if (id.type() != ValueType::kText && !integer) return false;
                entry.items.push_back(integer ? Id::of(*integer) : Id::of(id.text()));
                return true;
            });
        if (!wire::is_number(value)) return false;
        if (key == "tolerance") entry.tolerance = value.number();
        if (key == "min_overlap") entry.min_overlap = value.number();
        return key == "tolerance" || key == "min_overlap";
    }

    std::span<const uint8_t> bytes_;
    Status failure_;
    MsgpackReader reader_;
};

class Comparison {
  public:
    Comparison(const GoldenEntry& entry, double tolerance, GoldenReport& report)
        : entry_(entry), tolerance_(tolerance), report_(report) {}

    void compare(const pipeline::RequestState& state) {
        if (!state.is_ok()) return miss(std::string(code_name(state.status.code())) + ": " + state.status.message());
        const size_t before = report_.mismatches.size();
        if (entry_.items.empty()) {
            compare_scores(state.scores);
        } else {
            compare_items(state.items);
        }
        if (report_.mismatches.size() == before) ++report_.passed;
    }

  private:
    void miss(const std::string& what) { report_.mismatches.push_back("\"" + entry_.name + "\": " + what); }

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
        if (scores.size() != entry_.scores.size())
            return miss("gave " + std::to_string(scores.size()) + " scores, expected " + std::to_string(entry_.scores.size()));
        for (size_t i = 0; i < scores.size(); ++i)
            if (!is_close(scores[i], entry_.scores[i]))
                return miss("score " + std::to_string(i) + " " + difference(scores[i], entry_.scores[i]));
    }

    void compare_items(std::span<const wire::ScoredItem> items) {
        size_t found = 0;
        for (size_t i = 0; i < entry_.items.size(); ++i) {
            const auto item =
                std::find_if(items.begin(), items.end(), [&](const wire::ScoredItem& one) { return one.id == entry_.items[i]; });
            if (item == items.end()) continue;
            ++found;
            if (i < entry_.scores.size() && !is_close(item->score, entry_.scores[i]))
                return miss("item " + std::to_string(i) + " " + difference(item->score, entry_.scores[i]));
        }
        const double overlap = static_cast<double>(found) / static_cast<double>(entry_.items.size());
        if (overlap < entry_.min_overlap)
            miss(std::to_string(found) + " of " + std::to_string(entry_.items.size()) + " expected items came back, at least " +
                 std::to_string(entry_.min_overlap) + " of them must");
    }

    const GoldenEntry& entry_;
    const double tolerance_;
    GoldenReport& report_;
};

}  // namespace

Result<GoldenReport> replay_golden(Model& model, Executor& executor) {
    GoldenReport report;
    const pipeline::Manifest& manifest = model.bundle().manifest();
    if (manifest.golden.empty()) return report;
    RANKD_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(model.bundle().folder() / manifest.golden));
    RANKD_ASSIGN_OR_RETURN(const std::vector<GoldenEntry> entries, GoldenReader(file.bytes()).read());
    for (const GoldenEntry& entry : entries) {
        Job job;
        job.body = entry.body;
        const auto states = executor.run(model, entry.operation, {&job, 1});
        Comparison(entry, entry.tolerance.value_or(manifest.score_tolerance), report).compare(states[0]);
    }
    return report;
}

}  // namespace rankd::engine
