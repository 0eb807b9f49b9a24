// The kinds of index against a brute force of a few lines, and against files that want to do harm.
#include "index/index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "index/index_file.h"
#include "tests/store_support.h"
#include "tests/test.h"

namespace {

using namespace rankd;
using namespace rankd::index;
using rankd::test::Bytes;
using rankd::test::TemporaryFolder;

std::unique_ptr<Index> build(const TemporaryFolder& folder, const std::vector<float>& vectors, uint32_t dim,
                             const BuildOptions& options) {
    const auto path = folder / kind_name(options.kind).data();
    CHECK_OK(build_index(path, vectors, dim, options));
    auto opened = open_index(path);
    CHECK_OK(opened);
    return std::move(opened).value();
}

double brute_score(const std::vector<float>& vectors, uint32_t dim, uint32_t row, std::span<const float> query, Metric metric) {
    double dot = 0, query_squares = 0, row_squares = 0;
    for (uint32_t i = 0; i < dim; ++i) {
        const double a = query[i], b = vectors[row * dim + i];
        dot += a * b;
        query_squares += a * a;
        row_squares += b * b;
    }
    return metric == Metric::kDot ? dot : dot / std::sqrt(query_squares * row_squares);
}

std::vector<Neighbor> search(const Index& index, std::span<const float> query, size_t k, Scratch& scratch) {
    std::vector<Neighbor> found(k);
    found.resize(index.search(query, scratch, found));
    return found;
}

bool in_order(const std::vector<Neighbor>& found) {
    return std::is_sorted(found.begin(), found.end(), [](const Neighbor& a, const Neighbor& b) {
        return a.score > b.score || (a.score == b.score && a.row < b.row);
    });
}

Status damaged_status(const TemporaryFolder& folder, const Bytes& bytes) {
    test::write_bytes(folder / "damaged.index", bytes);
    const auto opened = open_index(folder / "damaged.index");
    if (!opened.is_ok()) return opened.status();
    const Index& index = **opened;
    Scratch scratch;
    const std::vector<float> query(index.dim(), 0.5f);
    for (const size_t k : {size_t{1}, size_t{10}, size_t{1000}}) {
        for (const Neighbor& neighbor : search(index, query, k, scratch)) CHECK(neighbor.row < index.size());
    }
    std::vector<float> out(index.dim());
    index.vector(index.size() - 1, out);
    const std::vector<uint32_t> rows = {0, index.size(), 0xFFFFFFFFu, index.size() - 1};
    std::vector<float> scores(rows.size());
    index.score_rows(query, rows, scratch, scores);
    return Status::ok();
}

void check_invalid(const Status& status, std::string_view part) {
    CHECK(status.code() == Code::BUNDLE_INVALID);
    if (status.message().find(part) == std::string::npos) CHECK_EQ(status.message(), std::string(part));
}

Bytes good_index(const TemporaryFolder& folder, Kind kind) {
    BuildOptions options;
    options.kind = kind;
    options.m = 4;
    options.ef_search = 8;
    CHECK_OK(build_index(folder / "good.index", test::clustered_floats(60, 5, 4, 1), 5, options));
    return test::read_bytes(folder / "good.index");
}

}  // namespace

TEST("exact f32 search finds what brute force finds, for both metrics and odd dimensions") {
    for (const Metric metric : {Metric::kDot, Metric::kCosine}) {
        for (const uint32_t dim : {1u, 3u, 17u, 50u, 64u}) {
            const TemporaryFolder folder;
            const uint32_t count = 2500;  // more than two blocks of the scan
            const std::vector<float> vectors = test::random_floats(count * dim, dim), queries = test::random_floats(5 * dim, 99);
            const auto index = build(folder, vectors, dim, {.metric = metric});
            Scratch scratch;
            for (size_t q = 0; q < 5; ++q) {
                const std::span<const float> query(queries.data() + q * dim, dim);
                std::vector<double> scores;
                for (uint32_t row = 0; row < count; ++row) scores.push_back(brute_score(vectors, dim, row, query, metric));
                std::vector<double> best = scores;
                std::sort(best.begin(), best.end(), std::greater<>());
                const std::vector<Neighbor> found = search(*index, query, 30, scratch);
                CHECK_EQ(found.size(), size_t{30});
                CHECK(in_order(found));
                for (size_t i = 0; i < found.size(); ++i) {
                    CHECK_NEAR(found[i].score, best[i], 1e-4);
                    CHECK_NEAR(found[i].score, scores[found[i].row], 1e-4);
                }
            }
        }
    }
}

TEST("equal vectors come back by lower row") {
    const TemporaryFolder folder;
    const std::vector<float> vectors(300 * 4, 0.5f);
    for (const Kind kind : {Kind::kExactF32, Kind::kExactI8}) {
        const auto index = build(folder, vectors, 4, {.kind = kind});
        Scratch scratch;
        const std::vector<Neighbor> found = search(*index, {vectors.data(), 4}, 20, scratch);
        for (uint32_t i = 0; i < 20; ++i) CHECK_EQ(found[i].row, i);
    }
}

TEST("int8 scores are near the float ones and its recall is high") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::clustered_floats(4000, 50, 40, 3);
    for (const Metric metric : {Metric::kDot, Metric::kCosine}) {
        const auto exact = build(folder, vectors, 50, {.metric = metric});
        const auto index = build(folder, vectors, 50, {.kind = Kind::kExactI8, .metric = metric});
        CHECK(measure_recall(*index, *exact, 50, 100) > 0.97);
        std::vector<float> original(50), restored(50);
        exact->vector(77, original);
        index->vector(77, restored);
        for (size_t i = 0; i < 50; ++i) CHECK_NEAR(restored[i], original[i], 0.02 * (metric == Metric::kDot ? 3 : 1));
    }
}

TEST("HNSW finds at least 95 % of the exact neighbours on clustered data") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::clustered_floats(6000, 50, 100, 5);
    const auto exact = build(folder, vectors, 50, {});
    const auto index = build(folder, vectors, 50, {.kind = Kind::kHnswF32});
    CHECK(measure_recall(*index, *exact, 10, 200) >= 0.95);
    CHECK(measure_recall(*index, *exact, 100, 200) >= 0.95);
    CHECK_EQ(measure_recall(*exact, *exact, 100, 50), 1.0);
    CHECK(index->resident_bytes() >= 6000 * sizeof(uint32_t));
    Scratch scratch;
    std::vector<float> query(50);
    index->vector(123, query);
    const std::vector<Neighbor> found = search(*index, query, 200, scratch);  // more than ef_search
    CHECK_EQ(found.size(), size_t{200});
    CHECK_EQ(found[0].row, 123u);
    CHECK(in_order(found));
    std::set<uint32_t> rows;
    for (const Neighbor& neighbor : found) rows.insert(neighbor.row);
    CHECK_EQ(rows.size(), size_t{200});
}

TEST("an HNSW index of equal input has equal bytes, another seed another graph") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::clustered_floats(500, 8, 10, 6);
    BuildOptions options;
    options.kind = Kind::kHnswF32;
    CHECK_OK(build_index(folder / "a", vectors, 8, options));
    CHECK_OK(build_index(folder / "b", vectors, 8, options));
    options.seed = 1;
    CHECK_OK(build_index(folder / "c", vectors, 8, options));
    CHECK(test::read_bytes(folder / "a") == test::read_bytes(folder / "b"));
    CHECK(test::read_bytes(folder / "a") != test::read_bytes(folder / "c"));
}

TEST("score_rows gives exactly the scores of a search, and 0 past the end") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::clustered_floats(700, 33, 10, 7), query = test::random_floats(33, 8);
    for (const Kind kind : {Kind::kExactF32, Kind::kExactI8, Kind::kHnswF32}) {
        for (const Metric metric : {Metric::kDot, Metric::kCosine}) {
            const auto index = build(folder, vectors, 33, {.kind = kind, .metric = metric});
            Scratch scratch;
            const std::vector<Neighbor> found = search(*index, query, 25, scratch);
            std::vector<uint32_t> rows = {700, 0xFFFFFFFFu};
            for (const Neighbor& neighbor : found) rows.push_back(neighbor.row);
            rows.insert(rows.begin() + 9, 701);
            std::vector<float> scores(rows.size());
            index->score_rows(query, rows, scratch, scores);
            for (size_t i = 0; i < rows.size(); ++i) {
                const auto same = std::find_if(found.begin(), found.end(), [&](const Neighbor& n) { return n.row == rows[i]; });
                CHECK_EQ(scores[i], same == found.end() ? 0.0f : same->score);
            }
        }
    }
}

TEST("k larger than the index gives every row once, k = 0 gives none") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::random_floats(90 * 6, 9);
    for (const Kind kind : {Kind::kExactF32, Kind::kExactI8, Kind::kHnswF32}) {
        const auto index = build(folder, vectors, 6, {.kind = kind});
        Scratch scratch;
        const std::vector<Neighbor> found = search(*index, {vectors.data(), 6}, 1000, scratch);
        CHECK_EQ(found.size(), size_t{90});
        CHECK(in_order(found));
        CHECK_EQ(search(*index, {vectors.data(), 6}, 0, scratch).size(), size_t{0});
    }
}

TEST("one scratch serves indexes of different kinds and sizes in turn") {
    const TemporaryFolder folder, other;
    const std::vector<float> large = test::clustered_floats(3000, 16, 20, 10), small = test::clustered_floats(400, 70, 5, 11);
    const auto a = build(folder, large, 16, {.kind = Kind::kHnswF32, .ef_search = 32}),
               b = build(other, small, 70, {.kind = Kind::kHnswF32, .ef_search = 16});
    const auto c = build(other, small, 70, {.kind = Kind::kExactI8});
    Scratch shared;
    shared.visit = 65530;  // the counter goes round within this test
    for (uint32_t round = 0; round < 12; ++round) {
        for (const Index* index : {a.get(), b.get(), c.get()}) {
            std::vector<float> query(index->dim());
            index->vector(round * 31, query);
            Scratch fresh;
            const std::vector<Neighbor> actual = search(*index, query, 10, shared), expected = search(*index, query, 10, fresh);
            CHECK_EQ(actual.size(), expected.size());
            for (size_t i = 0; i < expected.size(); ++i) CHECK_EQ(actual[i].row, expected[i].row);
        }
    }
}

TEST("a zero vector and a zero query score 0 under cosine, a query of NaN harms nothing") {
    const TemporaryFolder folder;
    std::vector<float> vectors = test::clustered_floats(300, 8, 5, 12);
    std::fill_n(vectors.begin() + 80, 8, 0.0f);  // row 10
    for (const Kind kind : {Kind::kExactF32, Kind::kExactI8, Kind::kHnswF32}) {
        const auto index = build(folder, vectors, 8, {.kind = kind, .ef_search = 20});
        Scratch scratch;
        std::vector<float> score(1);
        const uint32_t row = 10;
        index->score_rows({vectors.data(), 8}, {&row, 1}, scratch, score);
        CHECK_EQ(score[0], 0.0f);
        CHECK(search(*index, std::vector<float>(8, 0.0f), 5, scratch).at(0).score == 0.0f);
        for (const float hostile : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
            CHECK_EQ(search(*index, std::vector<float>(8, hostile), 5, scratch).size(), size_t{5});
        }
    }
}

TEST("empty, ragged, endless and extreme input is refused when building") {
    const TemporaryFolder folder;
    const std::vector<float> vectors = test::random_floats(12, 13);
    const auto code = [&](std::span<const float> values, uint32_t dim, BuildOptions options = {}) {
        return build_index(folder / "a", values, dim, options).code();
    };
    CHECK(code({}, 4) == Code::INVALID_ARGUMENT);
    CHECK(code(vectors, 0) == Code::INVALID_ARGUMENT);
    CHECK(code(vectors, 5) == Code::INVALID_ARGUMENT);
    CHECK(code(vectors, 70000) == Code::INVALID_ARGUMENT);
    CHECK(code(vectors, 4, {.kind = Kind::kHnswF32, .m = 1}) == Code::INVALID_ARGUMENT);
    CHECK(code(vectors, 4, {.kind = Kind::kHnswF32, .ef_search = 0}) == Code::INVALID_ARGUMENT);
    std::vector<float> infinite = vectors;
    infinite[7] = std::numeric_limits<float>::infinity();
    const Status status = build_index(folder / "a", infinite, 4, {});
    CHECK(status.code() == Code::NOT_FINITE);
    CHECK_EQ(status.message(), "the vector of row 1 holds inf at place 3");
    CHECK_EQ(folder.file_count(), size_t{0});
    CHECK(code(vectors, 12, {.kind = Kind::kHnswF32}) == Code::OK);  // a single vector is an index
    CHECK_OK(open_index(folder / "a"));
}

TEST("each damage of an index is refused by a message that says what is wrong") {
    const TemporaryFolder folder;
    const Bytes good = good_index(folder, Kind::kHnswF32);
    const auto with = [&](uint64_t at, auto value) {
        Bytes bytes = good;
        test::put(bytes, at, value);
        return damaged_status(folder, bytes);
    };
    const auto graph = test::get<uint64_t>(good, layout::kGraph), vectors = test::get<uint64_t>(good, layout::kVectors);
    const uint64_t lists = graph + layout::links_offset(60);
    check_invalid(with(layout::kKind, uint32_t{4}), "has kind 4");
    check_invalid(with(layout::kMetric, uint32_t{0}), "has metric 0");
    check_invalid(with(layout::kDim, uint32_t{0}), "60 vectors of 0 dimensions");
    check_invalid(with(layout::kCount, uint64_t{0}), "holds 0 vectors");
    check_invalid(with(layout::kCount, uint64_t{61}), "vectors has 1200 bytes, expected 1220");
    check_invalid(with(layout::kM, uint32_t{1}), "has m 1");
    check_invalid(with(layout::kEfSearch, uint32_t{0}), "ef_search 0");
    check_invalid(with(layout::kVectors, uint64_t{100}), "vectors starts at 100");
    check_invalid(with(vectors + 8, std::numeric_limits<float>::quiet_NaN()), "vectors hold a number that is not finite");
    check_invalid(with(layout::kScales + 8, uint64_t{4}), "scales has 4 bytes, expected 0");
    check_invalid(with(layout::kGraph + 8, uint64_t{12}), "graph has 12 bytes");
    check_invalid(with(layout::kGraph + 8, test::get<uint64_t>(good, layout::kGraph + 8) - 4), "links, expected at most");
    check_invalid(with(graph, uint32_t{60}), "entry row 60 of 60");
    check_invalid(with(graph + 4, uint32_t{200}), "must be on the top level, 200");
    check_invalid(with(lists, uint32_t{9}), "row 0, level 0: 9 links, expected at most 8");
    check_invalid(with(lists + 4, uint32_t{60}), "row 0, level 0: a link to row 60");
    Bytes longer = good;
    longer.resize(good.size() + 8);
    test::put(longer, layout::kGraph + 8, test::get<uint64_t>(good, layout::kGraph + 8) + 8);
    check_invalid(damaged_status(folder, longer), "2 words behind the last list");
    check_invalid(damaged_status(folder, {}), "shorter than its header");
    CHECK(open_index(folder / "none").status().code() == Code::BUNDLE_MISSING_FILE);
}

TEST("a damaged index of any kind fails cleanly or behaves") {
    for (const Kind kind : {Kind::kExactF32, Kind::kExactI8, Kind::kHnswF32}) {
        const TemporaryFolder folder;
        const Bytes good = good_index(folder, kind);
        test::for_each_damage(good, layout::kHeaderBytes, [&](const Bytes& bytes) {
            const Status status = damaged_status(folder, bytes);
            CHECK(status.is_ok() || status.code() == Code::BUNDLE_INVALID);
        });
    }
    // The graph, word by word.
    const TemporaryFolder folder;
    const Bytes good = good_index(folder, Kind::kHnswF32);
    for (uint64_t at = test::get<uint64_t>(good, layout::kGraph); at + 4 <= good.size(); at += 4) {
        for (const uint32_t value : {0u, 1u, 8u, 59u, 60u, 0xFFFFFFFFu}) {
            Bytes bytes = good;
            test::put(bytes, at, value);
            const Status status = damaged_status(folder, bytes);
            CHECK(status.is_ok() || status.code() == Code::BUNDLE_INVALID);
        }
    }
}
