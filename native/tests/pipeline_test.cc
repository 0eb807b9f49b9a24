// What each operation answers, over the `tiny` and `scorer` fixtures: personalised, filtered, never empty, honest about its
// limits.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "engine/executor.h"
#include "engine/golden.h"
#include "tests/fake_sessions.h"
#include "tests/json_body.h"
#include "tests/temporary_folder.h"
#include "tests/test.h"
#include "wire/msgpack_writer.h"

namespace rankd {
namespace {

using pipeline::RequestState;
using test::TemporaryFolder;
using wire::Degraded;
using wire::Operation;
namespace fs = std::filesystem;

std::unique_ptr<engine::Model> open_model(const std::string& name) {
    auto bundle = pipeline::Bundle::open(test::fixture_model(name), test::fake_sessions());
    CHECK_OK(bundle);
    return std::make_unique<engine::Model>(std::move(bundle).value());
}

/// Runs JSON requests as one batch; the states live until the next run.
class Runner {
  public:
    explicit Runner(const std::string& model) : Runner(open_model(model)) {}
    explicit Runner(std::unique_ptr<engine::Model> model)
        : model_(std::move(model)), executor_(wire::Limits{}, SteadyClock::instance()) {}

    std::span<const RequestState> run(Operation operation, const std::vector<std::string>& bodies) {
        bodies_.clear();
        for (const std::string& body : bodies) bodies_.emplace_back(body);
        std::vector<engine::Job> jobs(bodies_.size());
        for (size_t i = 0; i < jobs.size(); ++i) {
            jobs[i].codec = wire::Codec::kJson;
            jobs[i].body = bodies_[i].bytes();
        }
        return executor_.run(*model_, operation, jobs);
    }
    const RequestState& run_one(Operation operation, const std::string& body) { return run(operation, {body})[0]; }
    engine::Model& model() { return *model_; }
    engine::Executor& executor() { return executor_; }

  private:
    std::unique_ptr<engine::Model> model_;
    engine::Executor executor_;
    std::vector<test::JsonBody> bodies_;
};

bool is_degraded(const RequestState& state, Degraded word) {
    return state.degraded & static_cast<wire::DegradedSet>(word);
}

std::set<std::string> ids_of(const RequestState& state) {
    std::set<std::string> ids;
    for (const wire::ScoredItem& item : state.items) ids.emplace(item.id.text);
    return ids;
}

void check_sorted(const RequestState& state) {
    for (size_t i = 1; i < state.items.size(); ++i) CHECK(state.items[i - 1].score >= state.items[i].score);
}

void check_error(const RequestState& state, Code code, std::string_view part) {
    CHECK_EQ(code_name(state.status.code()), code_name(code));
    if (state.status.message().find(part) == std::string::npos)
        test::fail(__FILE__, __LINE__, "\"" + state.status.message() + "\" lacks \"" + std::string(part) + "\"");
}

TEST("the golden requests of the fixtures, computed with numpy, hold in the engine") {
    for (const char* name : {"tiny", "scorer"}) {
        Runner runner(name);
        const auto golden = engine::GoldenFile::open(runner.model().bundle());
        CHECK_OK(golden);
        const auto report = engine::replay_golden(*golden, runner.model(), runner.executor());
        for (const std::string& mismatch : report.mismatches) test::fail(__FILE__, __LINE__, mismatch);
        CHECK(report.passed > 0);
    }
}

TEST("a known user gets k unseen items, best first") {
    Runner runner("tiny");
    const RequestState& state = runner.run_one(Operation::kRecommend, R"({"user": "user-5", "k": 20})");
    CHECK_OK(state.status);
    CHECK_EQ(state.items.size(), 20u);
    CHECK_EQ(state.degraded, 0);
    check_sorted(state);
    for (uint32_t row : state.history)
        CHECK(!ids_of(state).contains("item-" + std::string(row < 10 ? "0" : "") + std::to_string(row)));
}

TEST("a batch answers each of its requests as if it were alone") {
    std::vector<std::string> bodies;
    for (int user = 0; user < 8; ++user)
        bodies.push_back(R"({"user": "user-)" + std::to_string(user) + R"(", "k": )" + std::to_string(5 + user) + "}");
    bodies.push_back(R"({"history": ["item-01", "item-02"]})");
    bodies.push_back(R"({"k": 0})");
    Runner batch("tiny"), alone("tiny");
    const auto states = batch.run(Operation::kRecommend, bodies);
    for (size_t i = 0; i < bodies.size(); ++i) {
        const RequestState& one = alone.run_one(Operation::kRecommend, bodies[i]);
        CHECK_EQ(states[i].status.code() == one.status.code(), true);
        CHECK_EQ(states[i].items.size(), one.items.size());
        for (size_t j = 0; j < std::min(states[i].items.size(), one.items.size()); ++j) {
            CHECK(states[i].items[j].id == one.items[j].id);
            CHECK_NEAR(states[i].items[j].score, one.items[j].score, 1e-6);
        }
    }
}

TEST("an unknown user, an unknown history and no user at all still get an answer that says so") {
    Runner runner("tiny");
    const RequestState unknown = runner.run_one(Operation::kRecommend, R"({"user": "nobody"})");
    CHECK_EQ(unknown.items.size(), 10u);
    CHECK(is_degraded(unknown, Degraded::kUnknownUser));
    CHECK(is_degraded(unknown, Degraded::kNoHistory));
    const RequestState strangers = runner.run_one(Operation::kRecommend, R"({"history": ["x", "y", 7]})");
    CHECK_EQ(strangers.items.size(), 10u);
    CHECK(is_degraded(strangers, Degraded::kUnknownItems));
    const RequestState nothing = runner.run_one(Operation::kRecommend, "{}");
    CHECK_EQ(nothing.items.size(), 10u);
    CHECK(is_degraded(nothing, Degraded::kNoHistory));
}

TEST("a history in the request replaces the published one, for the graphs and for the seen filter") {
    Runner runner("tiny");
    const RequestState& state =
        runner.run_one(Operation::kRecommend, R"({"user": "user-0", "history": ["item-10", "item-11", "item-10"], "k": 62})");
    CHECK_EQ(state.history.size(), 2u);
    CHECK_EQ(state.items.size(), 62u);
    CHECK(!ids_of(state).contains("item-10"));
    CHECK(!ids_of(state).contains("item-11"));
}

TEST("k beyond the catalogue brings everything, seen items last, and says that this is all") {
    Runner runner("tiny");
    const RequestState& state = runner.run_one(Operation::kRecommend, R"({"user": "user-7", "k": 500})");
    CHECK_EQ(state.items.size(), 64u);
    CHECK_EQ(ids_of(state).size(), 64u);
    CHECK(is_degraded(state, Degraded::kSeenRelaxed));
    CHECK(is_degraded(state, Degraded::kShortCatalogue));
    check_sorted(state);
}

TEST("exclude and filters always hold, also in the fallback") {
    Runner runner("tiny");
    const RequestState& state = runner.run_one(
        Operation::kRecommend,
        R"({"user": "user-1", "k": 64, "exclude": ["item-02", "item-06"], "filters": {"section": ["libs", "nowhere"]}})");
    CHECK_OK(state.status);
    CHECK_EQ(state.items.size(), 14u);  // 16 items of the section less the two excluded
    for (const std::string& id : ids_of(state)) CHECK_EQ(std::stoi(id.substr(5)) % 4, 2);
    CHECK(!ids_of(state).contains("item-02"));
    CHECK(is_degraded(state, Degraded::kShortCatalogue));
    check_error(runner.run_one(Operation::kRecommend, R"({"filters": {"colour": "red"}})"), Code::INVALID_ARGUMENT,
                "\"colour\" is not an attribute");
}

/// `tiny` with neighbours alone as the source of `recommend`, and a popular list of the given k.
std::unique_ptr<engine::Model> open_with_popular(const std::string& k) {
    const TemporaryFolder folder;
    fs::copy(test::fixture_model("tiny"), folder.path());
    std::stringstream text;
    text << std::ifstream(folder.path() / "manifest.json").rdbuf();
    std::string manifest = text.str();
    const auto replace = [&](std::string_view from, std::string_view to, const std::string& with) {
        const size_t start = manifest.find(from);
        manifest.replace(start, manifest.find(to, start) - start, with);
    };
    replace(R"({"name": "towers", "kind")", R"({"name": "popular")", "");
    replace(R"("k": 16}]}, {"stage": "filter")", R"(}]}, {"stage": "filter")", "\"k\": " + k);
    replace(R"({"stage": "score")", R"({"stage": "select")", "");
    replace(R"("item_item", "towers"])", "}", R"("item_item", "item_item"])");
    std::ofstream(folder.path() / "manifest.json") << manifest;
    auto bundle = pipeline::Bundle::open(folder.path(), test::fake_sessions());
    CHECK_OK(bundle);
    return bundle.is_ok() ? std::make_unique<engine::Model>(std::move(bundle).value()) : nullptr;
}

TEST("a list with k 0 retrieves nothing, and fills what is short behind the items that have a score") {
    Runner listed(open_with_popular("16")), filling(open_with_popular("0"));
    const std::string stranger = R"({"k": 5})", known = R"({"user": "user-5", "k": 60})";
    CHECK(!is_degraded(listed.run_one(Operation::kRecommend, stranger), Degraded::kFallback));
    const RequestState filled = filling.run_one(Operation::kRecommend, stranger);
    CHECK_EQ(filled.items.size(), 5u);
    CHECK(is_degraded(filled, Degraded::kFallback));
    const RequestState& mixed = filling.run_one(Operation::kRecommend, known);
    check_sorted(mixed);
    const auto is_popular = [](const wire::ScoredItem& item) { return item.source == "popular"; };
    const auto first = std::find_if(mixed.items.begin(), mixed.items.end(), is_popular);
    CHECK(first != mixed.items.begin() && first != mixed.items.end());
    CHECK(std::all_of(first, mixed.items.end(), is_popular));
}

TEST("features that no graph reads are a mistake worth telling") {
    Runner runner("tiny");
    check_error(runner.run_one(Operation::kRecommend, R"({"features": {"age": 3}})"), Code::INVALID_ARGUMENT, "reads no \"age\"");
}

TEST("rank keeps to the candidates: best first, or one score for each in the order given") {
    Runner runner("tiny");
    const RequestState best = runner.run_one(
        Operation::kRank, R"({"user": "user-3", "candidates": ["item-09", "ghost", "item-01", "item-33"], "k": 2})");
    CHECK_EQ(best.items.size(), 2u);
    CHECK(is_degraded(best, Degraded::kUnknownItems));
    check_sorted(best);
    const RequestState& input = runner.run_one(
        Operation::kRank, R"({"user": "user-3", "candidates": ["item-09", "ghost", "item-01"], "order": "input"})");
    CHECK_EQ(input.scores.size(), 3u);
    CHECK(std::isnan(input.scores[1]));
    CHECK(!std::isnan(input.scores[2]));
}

TEST("rank honours exclude: such a candidate is not ranked, in input order it has no score") {
    Runner runner("tiny");
    const RequestState best =
        runner.run_one(Operation::kRank, R"({"candidates": ["item-01", "item-02"], "exclude": ["item-01"]})");
    CHECK_EQ(best.items.size(), 1u);
    const RequestState& input =
        runner.run_one(Operation::kRank, R"({"candidates": ["item-01", "item-02"], "exclude": ["item-01"], "order": "input"})");
    CHECK(std::isnan(input.scores[0]));
    CHECK(!std::isnan(input.scores[1]));
    check_error(runner.run_one(Operation::kRank, R"({"candidates": ["item-01"], "filters": {"section": "libs"}})"),
                Code::INVALID_ARGUMENT, "there are none");
}

TEST("similar leaves the item itself out and knows what it does not know") {
    Runner runner("tiny");
    const RequestState& state = runner.run_one(Operation::kSimilar, R"({"item": "item-05", "k": 5})");
    CHECK_EQ(state.items.size(), 5u);
    CHECK(!ids_of(state).contains("item-05"));
    check_sorted(state);
    CHECK_EQ(runner.run_one(Operation::kSimilar, R"({"item": "item-05", "k": 100})").items.size(), 63u);
    check_error(runner.run_one(Operation::kSimilar, R"({"item": "item-99"})"), Code::UNKNOWN_ITEM,
                "\"item-99\" is not in the catalogue");
}

TEST("score takes rows, maps by name, and decides by threshold") {
    Runner runner("scorer");
    const RequestState rows = runner.run_one(Operation::kScore, R"({"rows": [[0, 0, 0, 0], [5, 0, 5, 0], [-9, 0, 0, 0]]})");
    CHECK_EQ(rows.scores.size(), 3u);
    CHECK_NEAR(rows.scores[0], 0.37754, 1e-4);
    CHECK_EQ(rows.decisions[0], "review");
    CHECK_EQ(rows.decisions[1], "decline");
    CHECK_EQ(rows.decisions[2], "approve");
    const RequestState maps = runner.run_one(Operation::kScore, R"({"rows": [{"amount": 5, "distance": 5}]})");
    CHECK_NEAR(maps.scores[0], 0.99752, 1e-4);
    check_error(runner.run_one(Operation::kScore, R"({"rows": [{"amont": 5}]})"), Code::INVALID_ARGUMENT, "reads no \"amont\"");
    check_error(runner.run_one(Operation::kScore, R"({"rows": [[1, 2, 3]]})"), Code::SHAPE_MISMATCH, "rows of 3");
}

TEST("a wrong request fails alone; the others of its batch are answered") {
    Runner runner("scorer");
    const auto states = runner.run(Operation::kScore,
                                   {R"({"rows": [[1, 2, 3, 4]]})", R"({"rows": [[1, 2]]})", "{", R"({"rows": [[0, 0, 0, 0]]})"});
    CHECK_OK(states[0].status);
    CHECK_EQ(code_name(states[1].status.code()), "SHAPE_MISMATCH");
    CHECK_EQ(code_name(states[2].status.code()), "INVALID_BODY");
    CHECK_OK(states[3].status);
    CHECK_NEAR(states[3].scores[0], 0.37754, 1e-4);
}

TEST("when the ranking graph fails, recommend answers in retrieval order and rank tells why it cannot") {
    Runner runner("tiny");
    test::FakeSessionControl::is_failing = true;
    const RequestState recommended = runner.run_one(Operation::kRecommend, R"({"user": "user-2"})");
    CHECK_OK(recommended.status);
    CHECK_EQ(recommended.items.size(), 10u);
    CHECK(is_degraded(recommended, Degraded::kModelFailed));
    const RequestState ranked = runner.run_one(Operation::kRank, R"({"user": "user-2", "candidates": ["item-01"]})");
    test::FakeSessionControl::is_failing = false;
    check_error(ranked, Code::MODEL_FAILED, "graph \"ranker\"");
}

std::vector<uint8_t> msgpack(const std::function<void(wire::MsgpackWriter&)>& write) {
    ByteBuffer buffer;
    wire::MsgpackWriter writer(buffer);
    write(writer);
    return {buffer.data(), buffer.data() + buffer.size()};
}

TEST("a removed item leaves every answer at once and comes back by an upsert") {
    Runner runner("tiny");
    const std::string first(runner.run_one(Operation::kRecommend, R"({"user": "user-4"})").items[0].id.text);
    uint32_t count = 0;
    const auto ids = msgpack([&](wire::MsgpackWriter& writer) {
        writer.begin_list(2);
        writer.text(first);
        writer.text("ghost");
        writer.end_list();
    });
    CHECK_OK(runner.model().remove(ids, count));
    CHECK_EQ(count, 1u);
    const RequestState everything = runner.run_one(Operation::kRecommend, R"({"user": "user-4", "k": 64})");
    CHECK_EQ(everything.items.size(), 63u);
    CHECK(!ids_of(everything).contains(first));
    CHECK(is_degraded(runner.run_one(Operation::kRank, R"({"candidates": [")" + first + R"("]})"), Degraded::kUnknownItems));
    const auto items = msgpack([&](wire::MsgpackWriter& writer) {
        writer.begin_list(1);
        writer.begin_map(1);
        writer.key("id");
        writer.text(first);
        writer.end_map();
        writer.end_list();
    });
    CHECK_OK(runner.model().upsert(items, count));
    CHECK_EQ(std::string(runner.run_one(Operation::kRecommend, R"({"user": "user-4"})").items[0].id.text), first);
}

TEST("a new item with a vector is found by similarity and ranked with its own column") {
    Runner runner("tiny");
    const auto state = runner.run_one(Operation::kSimilar, R"({"item": "item-20", "k": 1})");
    CHECK_EQ(state.items.size(), 1u);
    std::vector<float> vector(8);
    runner.model().bundle().resources().indexes.at("content")->vector(20, vector);
    const auto items = msgpack([&](wire::MsgpackWriter& writer) {
        writer.begin_list(1);
        writer.begin_map(2);
        writer.key("id");
        writer.text("newcomer");
        writer.key("vectors");
        writer.begin_map(1);
        writer.key("content");
        writer.numbers(vector);
        writer.end_map();
        writer.end_map();
        writer.end_list();
    });
    uint32_t count = 0;
    CHECK_OK(runner.model().upsert(items, count));
    const RequestState similar = runner.run_one(Operation::kSimilar, R"({"item": "item-20", "k": 1})");
    CHECK_EQ(similar.items[0].id.text, "newcomer");
    CHECK_NEAR(similar.items[0].score, 1.0, 0.02);
    CHECK_OK(runner.run_one(Operation::kSimilar, R"({"item": "newcomer"})").status);
    const auto wrong = msgpack([&](wire::MsgpackWriter& writer) {
        writer.begin_list(1);
        writer.begin_map(1);
        writer.key("vectors");
        writer.begin_map(0);
        writer.end_map();
        writer.end_map();
        writer.end_list();
    });
    CHECK_EQ(code_name(runner.model().upsert(wrong, count).code()), "INVALID_ARGUMENT");
}

}  // namespace
}  // namespace rankd
