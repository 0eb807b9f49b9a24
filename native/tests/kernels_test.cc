// Every form of the kernels gives what the scalar reference gives, and the choice among them is sound.
#include "kernels/kernels.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/top_k.h"
#include "tests/test.h"

namespace {

using namespace rankd::kernels;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<const Kernels*> forms_beside_reference() {
    std::vector<const Kernels*> forms = available_kernels();
    forms.erase(forms.begin());
    return forms;
}

/// Equal numbers, or NaN on both sides.
bool same(float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

void check_same(const Kernels& form, size_t length, const std::vector<float>& actual, const std::vector<float>& expected) {
    for (size_t i = 0; i < expected.size(); ++i) {
        if (same(actual[i], expected[i])) continue;
        rankd::test::fail(__FILE__, __LINE__,
                          std::string(form.isa) + " at length " + std::to_string(length) + ", place " + std::to_string(i) + ": " +
                              std::to_string(actual[i]) + ", expected " + std::to_string(expected[i]));
        return;
    }
}

template <typename T, typename Make>
std::vector<T> made(size_t count, Make make) {
    std::vector<T> values(count);
    for (T& value : values) value = make();
    return values;
}

struct Entry {
    uint32_t row = 0;
    float score = 0;
};

std::vector<Entry> top(const std::vector<float>& scores, size_t k) {
    std::vector<Entry> storage(k);
    TopK<Entry> best{std::span(storage)};
    best.push_block(0, scores);
    storage.resize(best.finish());
    return storage;
}

}  // namespace

TEST("the scalar reference is always there and comes first") {
    CHECK(available_kernels().at(0) == scalar_kernels());
}

TEST("float dot products and scans give the same bits in every form, at every length up to 130") {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const Kernels& reference = *scalar_kernels();
    for (const Kernels* form : forms_beside_reference()) {
        for (size_t dim = 0; dim <= 130; ++dim) {
            // Vectors of exactly this size, so that a sanitizer sees a read past their end.
            const auto query = made<float>(dim, [&] { return normal(random); });
            for (const size_t count : {size_t{0}, size_t{1}, size_t{4}, size_t{13}}) {
                const auto vectors = made<float>(dim * count, [&] { return normal(random); });
                const auto rows = made<uint32_t>(count, [&] { return static_cast<uint32_t>(random() % count); });
                for (const uint32_t* listed : {static_cast<const uint32_t*>(nullptr), rows.data()}) {
                    std::vector<float> actual(count), expected(count);
                    form->scan_f32(query.data(), vectors.data(), dim, listed, count, actual.data());
                    reference.scan_f32(query.data(), vectors.data(), dim, listed, count, expected.data());
                    check_same(*form, dim, actual, expected);
                }
                if (count > 0)
                    CHECK_EQ(form->dot_f32(query.data(), vectors.data(), dim),
                             reference.dot_f32(query.data(), vectors.data(), dim));
            }
        }
    }
}

TEST("a float dot product is close to the one in double precision") {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    const auto a = made<float>(1000, [&] { return normal(random); }), b = made<float>(1000, [&] { return normal(random); });
    double expected = 0;
    for (size_t i = 0; i < a.size(); ++i) expected += double{a[i]} * b[i];
    CHECK_NEAR(kernels().dot_f32(a.data(), b.data(), a.size()), expected, 1e-4);
}

TEST("huge, tiny, infinite and not-a-number floats give the same in every form") {
    const float pool[] = {3e38f, -3e38f, 1e-45f, -1e-45f, 1e-38f, 0.0f, -0.0f, 1.0f, kInfinity, -kInfinity, kNaN};
    std::mt19937 random(3);
    for (const Kernels* form : forms_beside_reference()) {
        for (int round = 0; round < 500; ++round) {
            const size_t dim = random() % 40, special = round % 2 == 0 ? 8 : 11;  // finite only, then everything
            const auto a = made<float>(dim, [&] { return pool[random() % special]; }),
                       b = made<float>(dim, [&] { return pool[random() % special]; });
            check_same(*form, dim, {form->dot_f32(a.data(), b.data(), dim)},
                       {scalar_kernels()->dot_f32(a.data(), b.data(), dim)});
        }
    }
}

TEST("int8 dot products are exact in every form: full range, every sign, every length up to 200") {
    std::mt19937 random(4);
    for (const Kernels* form : available_kernels()) {
        for (size_t dim = 0; dim <= 200; ++dim) {
            for (const int pattern : {0, 1, 2, 3}) {
                const auto query = made<int8_t>(dim, [&] {
                    return static_cast<int8_t>(pattern == 0 ? static_cast<int>(random() % 255) - 127 : pattern == 1 ? 127 : -127);
                });
                const auto row = made<int8_t>(dim, [&] {
                    return static_cast<int8_t>(pattern == 0   ? static_cast<int>(random() % 256) - 128
                                               : pattern == 3 ? -128
                                                              : -127);
                });
                int64_t expected = 0;
                for (size_t i = 0; i < dim; ++i) expected += int64_t{query[i]} * row[i];
                CHECK_EQ(int64_t{form->dot_i8(query.data(), row.data(), dim)}, expected);
            }
        }
    }
}

TEST("the longest int8 dot product does not overflow") {
    const std::vector<int8_t> query(65536, 127), low(65536, -128), high(65536, 127), negative(65536, -127);
    for (const Kernels* form : available_kernels()) {
        CHECK_EQ(form->dot_i8(query.data(), low.data(), 65536), 127 * -128 * 65536);
        CHECK_EQ(form->dot_i8(query.data(), high.data(), 65536), 127 * 127 * 65536);
        CHECK_EQ(form->dot_i8(negative.data(), low.data(), 65536), 127 * 128 * 65536);
    }
}

TEST("int8 scans give the same bits in every form") {
    std::mt19937 random(5);
    for (const Kernels* form : forms_beside_reference()) {
        for (const size_t dim : {1, 15, 31, 32, 33, 50, 63, 64, 65, 96, 127, 128, 129, 256}) {
            for (const size_t count : {1, 3, 4, 5, 11}) {
                const auto query = made<int8_t>(dim, [&] { return static_cast<int8_t>(static_cast<int>(random() % 255) - 127); });
                const auto vectors = made<int8_t>(dim * count, [&] { return static_cast<int8_t>(random()); });
                const auto scales = made<float>(count, [&] { return static_cast<float>(random() % 1000) * 1e-3f; });
                const auto rows = made<uint32_t>(count, [&] { return static_cast<uint32_t>(random() % count); });
                for (const uint32_t* listed : {static_cast<const uint32_t*>(nullptr), rows.data()}) {
                    std::vector<float> actual(count), expected(count);
                    form->scan_i8(query.data(), 0.01f, vectors.data(), scales.data(), dim, listed, count, actual.data());
                    scalar_kernels()->scan_i8(query.data(), 0.01f, vectors.data(), scales.data(), dim, listed, count,
                                              expected.data());
                    check_same(*form, dim, actual, expected);
                }
            }
        }
    }
}

TEST("all 65,536 half precision numbers widen to the same bits in every form") {
    std::vector<uint16_t> halves(65536);
    for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
    std::vector<float> expected(halves.size());
    scalar_kernels()->widen_f16(halves.data(), expected.data(), halves.size());
    CHECK_EQ(expected[0x3C00], 1.0f);
    CHECK_EQ(expected[0x7BFF], 65504.0f);
    CHECK_EQ(expected[0x0001], 0x1p-24f);
    CHECK_EQ(expected[0xFC00], -kInfinity);
    for (const Kernels* form : forms_beside_reference()) {
        std::vector<float> actual(halves.size());
        form->widen_f16(halves.data(), actual.data(), halves.size());
        for (size_t i = 0; i < halves.size(); ++i) {
            if (std::bit_cast<uint32_t>(actual[i]) != std::bit_cast<uint32_t>(expected[i])) CHECK_EQ(halves[i], 0);
        }
    }
}

TEST("conversions and sums of rows agree at odd lengths and write nothing past the end") {
    std::mt19937 random(6);
    std::normal_distribution<float> normal;
    for (const Kernels* form : forms_beside_reference()) {
        for (size_t n = 0; n <= 70; ++n) {
            const auto floats = made<float>(n, [&] { return normal(random); });
            const auto halves = made<uint16_t>(n, [&] { return static_cast<uint16_t>(random() & 0xBFFF); });
            const auto bytes = made<int8_t>(n, [&] { return static_cast<int8_t>(random()); });
            const auto start = made<float>(n + 1, [&] { return normal(random); });
            const auto compare = [&](const auto& call) {
                std::vector<float> actual = start, expected = start;
                call(*form, actual.data());
                call(*scalar_kernels(), expected.data());
                check_same(*form, n, actual, expected);
            };
            compare([&](const Kernels& k, float* out) { k.widen_f16(halves.data(), out, n); });
            compare([&](const Kernels& k, float* out) { k.widen_i8(bytes.data(), 0.3f, out, n); });
            compare([&](const Kernels& k, float* out) { k.add_f32(floats.data(), out, n); });
            compare([&](const Kernels& k, float* out) { k.add_f16(halves.data(), out, n); });
            compare([&](const Kernels& k, float* out) { k.add_i8(bytes.data(), 0.3f, out, n); });
        }
    }
}

TEST("a form that disagrees with the reference is left out and named") {
    Kernels broken = *scalar_kernels();
    broken.isa = "broken";
    broken.dot_i8 = [](const int8_t*, const int8_t*, size_t) { return 42; };
    CHECK_EQ(disagreement(broken, *scalar_kernels()), "dot_i8 at length 1");
    const Kernels* forms[] = {scalar_kernels(), &broken};
    const KernelChoice choice = choose_kernels(forms, nullptr);
    CHECK_EQ(choice.form, scalar_kernels());
    CHECK(choice.reason.find("broken left out: it disagrees with the reference in dot_i8") != std::string::npos);
}

TEST("RANKD_ISA forces a form, and a name that is not available is told, not obeyed") {
    const std::vector<const Kernels*> forms = available_kernels();
    for (const Kernels* form : forms) CHECK_EQ(choose_kernels(forms, form->isa).form, form);
    const KernelChoice choice = choose_kernels(forms, "mmx");
    CHECK(choice.form != nullptr);
    CHECK(choice.reason.find("RANKD_ISA=mmx is not available here (expected one of scalar") != std::string::npos);
    CHECK(choose_kernels(forms, "").reason.find("RANKD_ISA") == std::string::npos);
}

TEST("the serving form is one that this machine has, and says why it was chosen") {
    CHECK_EQ(kernel_report().isa, std::string_view(kernels().isa));
    CHECK(!kernel_report().reason.empty());
}

TEST("top k is what sorting gives, with ties by lower row and NaN last") {
    std::mt19937 random(8);
    for (int round = 0; round < 300; ++round) {
        const size_t n = random() % 200, k = random() % 40;
        const auto scores = made<float>(n, [&] { return random() % 20 == 0 ? kNaN : static_cast<float>(random() % 30); });
        std::vector<Entry> expected;
        for (uint32_t row = 0; row < n; ++row) expected.push_back({row, scores[row]});
        std::stable_sort(expected.begin(), expected.end(), [](const Entry& a, const Entry& b) {
            if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score) && std::isnan(b.score);
            return a.score > b.score;
        });
        expected.resize(std::min(n, k));
        const std::vector<Entry> actual = top(scores, k);
        CHECK_EQ(actual.size(), expected.size());
        for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) CHECK_EQ(actual[i].row, expected[i].row);
    }
}

TEST("top k replaces NaN by any number that comes later") {
    std::vector<float> scores(64, kNaN);
    scores.back() = -kInfinity;
    const std::vector<Entry> best = top(scores, 2);
    CHECK_EQ(best[0].row, 63u);
    CHECK_EQ(best[1].row, 0u);
}
