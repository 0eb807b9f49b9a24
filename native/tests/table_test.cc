// Tables: what is written is read, and no damaged file does harm.
#include "store/table.h"

#include <cmath>
#include <limits>

#include "store/table_layout.h"
#include "tests/store_support.h"
#include "tests/test.h"

namespace {

using namespace rankd;
using namespace rankd::store;
using rankd::test::Bytes;
using rankd::test::TemporaryFolder;

constexpr uint32_t kRows = 7;

/// One column of every type over seven rows.
struct Sample {
    std::vector<float> f32 = test::random_floats(kRows * 5, 1), f16 = test::random_floats(kRows * 33, 2),
                       i8 = test::random_floats(kRows * 50, 3);
    std::vector<uint32_t> u32, ragged, offsets = {0, 3, 3, 4, 9, 9, 10, 12};
    std::vector<uint64_t> u64;

    Sample() {
        for (uint32_t i = 0; i < kRows * 2; ++i) u32.push_back(i * 1000003u);
        for (uint64_t i = 0; i < kRows; ++i) u64.push_back(~i * 0x123456789ull);
        for (uint32_t i = 0; i < 12; ++i) ragged.push_back(100 + i);
    }

    std::vector<ColumnSpec> specs() const {
        return {{"plain", DType::kF32, 5, f32.data(), f32.size(), {}},
                {"half", DType::kF16, 33, f16.data(), f16.size(), {}},
                {"bytes", DType::kI8, 50, i8.data(), i8.size(), {}},
                {"codes", DType::kU32, 2, u32.data(), u32.size(), {}},
                {"long", DType::kU64, 1, u64.data(), u64.size(), {}},
                {"история", DType::kRaggedU32, 0, ragged.data(), ragged.size(), offsets}};
    }
};

/// Reads everything a table holds, so that a sanitizer sees any step outside the file.
void touch(const Table& table) {
    const std::vector<uint32_t> rows = {0, 1, 2, 6, 5, 0xFFFFFFFFu, 3, 4, 1000000, 0};
    for (const Column& column : table.columns()) {
        CHECK(table.column(column.name()) == &column);
        if (column.dtype() == DType::kU64) {
            for (const uint32_t row : rows) CHECK(column.u64_row(row).size() <= column.width());
        } else if (column.dtype() == DType::kU32 || column.dtype() == DType::kRaggedU32) {
            uint64_t sum = 0;
            for (const uint32_t row : rows) {
                for (const uint32_t value : column.u32_row(row)) sum += value;
            }
            CHECK(sum < ~uint64_t{0});
        } else {
            std::vector<float> out(rows.size() * column.width());
            CHECK(column.gather(rows, out.data(), column.width()) >= 2);
            CHECK(column.pool(rows, Column::Pool::kMean, out.data()) <= rows.size() - 2);
        }
    }
}

Status damaged_status(const TemporaryFolder& folder, const Bytes& bytes) {
    test::write_bytes(folder / "damaged.table", bytes);
    const auto table = Table::open(folder / "damaged.table");
    if (table.is_ok()) touch(**table);
    return table.status();
}

Bytes good_table(const TemporaryFolder& folder) {
    const Sample sample;
    CHECK_OK(write_table(folder / "good.table", kRows, sample.specs()));
    return test::read_bytes(folder / "good.table");
}

void check_invalid(const Status& status, std::string_view part) {
    CHECK(status.code() == Code::BUNDLE_INVALID);
    if (status.message().find(part) == std::string::npos) CHECK_EQ(status.message(), std::string(part));
}

}  // namespace

TEST("a table gives back what was written, for every dtype") {
    const TemporaryFolder folder;
    const Sample sample;
    CHECK_OK(write_table(folder / "a.table", kRows, sample.specs()));
    CHECK_EQ(folder.file_count(), size_t{1});
    const auto opened = Table::open(folder / "a.table");
    CHECK_OK(opened);
    const Table& table = **opened;
    CHECK_EQ(table.row_count(), uint64_t{kRows});
    CHECK_EQ(table.columns().size(), size_t{6});
    CHECK(table.column("missing") == nullptr);

    const std::vector<uint32_t> all = {0, 1, 2, 3, 4, 5, 6};
    std::vector<float> out(kRows * 50);
    CHECK_EQ(table.column("plain")->gather(all, out.data(), 5), size_t{0});
    for (size_t i = 0; i < sample.f32.size(); ++i) CHECK_EQ(out[i], sample.f32[i]);
    CHECK_EQ(table.column("half")->gather(all, out.data(), 33), size_t{0});
    for (size_t i = 0; i < sample.f16.size(); ++i)
        CHECK_NEAR(out[i], sample.f16[i], std::fabs(sample.f16[i]) * 0x1p-11 + 0x1p-25);
    CHECK_EQ(table.column("bytes")->gather(all, out.data(), 50), size_t{0});
    for (uint32_t row = 0; row < kRows; ++row) {
        float largest = 0;
        for (size_t i = 0; i < 50; ++i) largest = std::max(largest, std::fabs(sample.i8[row * 50 + i]));
        for (size_t i = 0; i < 50; ++i) CHECK_NEAR(out[row * 50 + i], sample.i8[row * 50 + i], largest / 127 * 0.5001);
    }
    CHECK_EQ(table.column("codes")->u32_row(3)[1], sample.u32[7]);
    CHECK_EQ(table.column("long")->u64_row(6)[0], sample.u64[6]);
    CHECK_EQ(table.column("история")->u32_row(3).size(), size_t{5});
    CHECK_EQ(table.column("история")->u32_row(3)[0], 104u);
    CHECK(table.column("история")->u32_row(1).empty());
}

TEST("rows past the end are zeros when gathered, left out when pooled, empty when viewed") {
    const TemporaryFolder folder;
    const Sample sample;
    CHECK_OK(write_table(folder / "a.table", kRows, sample.specs()));
    const auto table = Table::open(folder / "a.table");
    const std::vector<uint32_t> rows = {6, 7, 0xFFFFFFFFu, 2};
    for (const char* name : {"plain", "half", "bytes"}) {
        const Column& column = *(*table)->column(name);
        const size_t stride = column.width() + 3;
        std::vector<float> out(rows.size() * stride, 99.0f), one(column.width()), pooled(column.width());
        CHECK_EQ(column.gather(rows, out.data(), stride), size_t{2});
        CHECK_EQ(out[stride], 0.0f);
        CHECK_EQ(out[2 * stride + column.width() - 1], 0.0f);
        CHECK_EQ(out[column.width()], 99.0f);  // between rows nothing is written
        CHECK_EQ(column.pool(rows, Column::Pool::kMean, pooled.data()), size_t{2});
        for (uint32_t i = 0; i < column.width(); ++i) CHECK_NEAR(pooled[i], (out[i] + out[3 * stride + i]) / 2, 1e-6);
        CHECK_EQ(column.pool(rows, Column::Pool::kSum, pooled.data()), size_t{2});
        for (uint32_t i = 0; i < column.width(); ++i) CHECK_NEAR(pooled[i], out[i] + out[3 * stride + i], 1e-6);
        CHECK_EQ(column.pool({}, Column::Pool::kMean, pooled.data()), size_t{0});
        CHECK_EQ(pooled[0], 0.0f);
    }
    CHECK((*table)->column("codes")->u32_row(7).empty());
    CHECK((*table)->column("long")->u64_row(7).empty());
    CHECK((*table)->column("plain")->u32_row(0).empty());
}

TEST("half precision rounds to nearest, ties to even, and keeps subnormals") {
    const TemporaryFolder folder;
    const std::vector<std::pair<float, float>> cases = {{1.0f, 1.0f},
                                                        {0.0f, 0.0f},
                                                        {65504.0f, 65504.0f},
                                                        {65519.0f, 65504.0f},
                                                        {1.0f + 0x1p-11f, 1.0f},
                                                        {1.0f + 3 * 0x1p-11f, 1.0f + 0x1p-9f},
                                                        {-(1.0f + 0x1p-11f + 0x1p-20f), -(1.0f + 0x1p-10f)},
                                                        {0x1p-24f, 0x1p-24f},
                                                        {0x1p-25f, 0.0f},
                                                        {3 * 0x1p-25f, 0x1p-23f},
                                                        {0x1p-14f - 0x1p-26f, 0x1p-14f},
                                                        {-0x1p-15f, -0x1p-15f},
                                                        {1e-30f, 0.0f}};
    std::vector<float> values;
    for (const auto& [value, expected] : cases) values.push_back(value);
    const ColumnSpec column = {"x", DType::kF16, static_cast<uint32_t>(values.size()), values.data(), values.size(), {}};
    CHECK_OK(write_table(folder / "a.table", 1, {&column, 1}));
    const auto table = Table::open(folder / "a.table");
    std::vector<float> out(values.size());
    const uint32_t row = 0;
    (*table)->column("x")->gather({&row, 1}, out.data(), out.size());
    for (size_t i = 0; i < cases.size(); ++i) CHECK_EQ(out[i], cases[i].second);
}

TEST("numbers that a column cannot hold are refused by name and row, and nothing is written") {
    const TemporaryFolder folder;
    const std::vector<float> large = {1, 2, 3, 70000}, nan = {1, std::nanf(""), 2, 3};
    const ColumnSpec half = {"h", DType::kF16, 2, large.data(), 4, {}}, bytes = {"b", DType::kI8, 2, nan.data(), 4, {}};
    const Status too_large = write_table(folder / "a.table", 2, {&half, 1}),
                 not_finite = write_table(folder / "a.table", 2, {&bytes, 1});
    CHECK(too_large.code() == Code::INVALID_ARGUMENT);
    CHECK(too_large.message().find("column \"h\", row 1: 70000") != std::string::npos);
    CHECK(not_finite.code() == Code::NOT_FINITE);
    CHECK_EQ(folder.file_count(), size_t{0});
}

TEST("columns of wrong sizes, twice the same name and bad ragged offsets are refused when written") {
    const TemporaryFolder folder;
    const std::vector<float> values(6);
    const std::vector<uint32_t> rows(3), falling = {0, 2, 1, 3}, short_offsets = {0, 3}, wrong_end = {0, 1, 2, 4};
    const auto write = [&](std::vector<ColumnSpec> columns) { return write_table(folder / "a.table", 3, columns).code(); };
    CHECK(write({{"a", DType::kF32, 3, values.data(), 6, {}}}) == Code::INVALID_ARGUMENT);
    CHECK(write({{"a", DType::kF32, 0, values.data(), 0, {}}}) == Code::INVALID_ARGUMENT);
    CHECK(write({{"", DType::kF32, 2, values.data(), 6, {}}}) == Code::INVALID_ARGUMENT);
    CHECK(write({{"\xFF", DType::kF32, 2, values.data(), 6, {}}}) == Code::INVALID_ARGUMENT);
    CHECK(write({{std::string(49, 'x'), DType::kF32, 2, values.data(), 6, {}}}) == Code::INVALID_ARGUMENT);
    CHECK(write({{"a", DType::kF32, 2, values.data(), 6, {}}, {"a", DType::kF32, 2, values.data(), 6, {}}}) ==
          Code::INVALID_ARGUMENT);
    for (const auto& offsets : {falling, short_offsets, wrong_end}) {
        CHECK(write({{"r", DType::kRaggedU32, 0, rows.data(), 3, offsets}}) == Code::INVALID_ARGUMENT);
    }
    CHECK(write({{std::string(48, 'x'), DType::kF32, 2, values.data(), 6, {}}}) == Code::OK);
    CHECK_OK(Table::open(folder / "a.table"));
}

TEST("a table without rows and one without columns open") {
    const TemporaryFolder folder;
    const std::vector<uint32_t> offsets = {0};
    const std::vector<ColumnSpec> columns = {{"a", DType::kF16, 4, nullptr, 0, {}},
                                             {"r", DType::kRaggedU32, 0, nullptr, 0, offsets}};
    CHECK_OK(write_table(folder / "rows.table", 0, columns));
    CHECK_OK(write_table(folder / "columns.table", 5, {}));
    const auto table = Table::open(folder / "rows.table");
    CHECK_OK(table);
    touch(**table);
    CHECK_OK(Table::open(folder / "columns.table"));
}

TEST("a missing table is missing, an empty or foreign file is invalid") {
    const TemporaryFolder folder;
    CHECK(Table::open(folder / "none.table").status().code() == Code::BUNDLE_MISSING_FILE);
    check_invalid(damaged_status(folder, {}), "shorter than its header");
    check_invalid(damaged_status(folder, Bytes(4096, 'x')), "does not start with RKDTABL1");
}

TEST("each damage of a table is refused by a message that names file, field and values") {
    const TemporaryFolder folder;
    const Bytes good = good_table(folder);
    const auto with = [&](uint64_t at, auto value) {
        Bytes bytes = good;
        test::put(bytes, at, value);
        return damaged_status(folder, bytes);
    };
    const uint64_t first = layout::descriptor(0), bytes_column = layout::descriptor(2), ragged = layout::descriptor(5);
    check_invalid(with(8, uint32_t{2}), "damaged.table: has format 2, this version reads 1");
    check_invalid(with(layout::kColumnCount, uint32_t{1025}), "has 1025 columns");
    check_invalid(with(layout::kColumnCount, uint32_t{1024}), "1024 column descriptors do not fit");
    check_invalid(with(layout::kRowCount, uint64_t{1} << 61), "rows, at most");
    check_invalid(with(layout::kFileBytes, uint64_t{12}), "says it has 12 bytes");
    check_invalid(with(first, uint8_t{0}), "column 0 has a name");
    check_invalid(with(first, uint8_t{0xFF}), "column 0 has a name");
    check_invalid(with(first + 47, uint8_t{'x'}), "column 0 has a name");
    check_invalid(with(first + layout::kDType, uint32_t{9}), "column \"plain\" has the unknown dtype 9");
    check_invalid(with(first + layout::kWidth, uint32_t{0}), "column \"plain\" is f32 with width 0");
    check_invalid(with(first + layout::kWidth, uint32_t{0xFFFFFFFF}), "column \"plain\": data has 140 bytes, expected");
    check_invalid(with(first + layout::kDataOffset, uint64_t{65}), "column \"plain\": data starts at 65, not a multiple of 64");
    check_invalid(with(first + layout::kDataOffset, ~uint64_t{63}),
                  "column \"plain\": data is 140 bytes at 18446744073709551552, past");
    check_invalid(with(bytes_column + layout::kAuxBytes, uint64_t{4}), "column \"bytes\": aux has 4 bytes, expected 28");
    check_invalid(with(test::get<uint64_t>(good, bytes_column + layout::kAuxOffset), std::numeric_limits<float>::infinity()),
                  "the scale of row 0");
    check_invalid(with(ragged + layout::kWidth, uint32_t{1}), "is ragged with width 1");
    const auto offsets = test::get<uint64_t>(good, ragged + layout::kAuxOffset);
    check_invalid(with(offsets + 4, uint32_t{5}), "the offsets fall from 5 to 3 at row 1");
    check_invalid(with(offsets + 28, uint32_t{13}), "the offsets run from 0 to 13, expected 0 to 12");

    Bytes twice = good;
    std::memcpy(twice.data() + layout::descriptor(1), twice.data() + first, layout::kNameBytes);
    check_invalid(damaged_status(folder, twice), "column \"plain\" is there twice");
}

TEST("a damaged table fails cleanly or behaves") {
    const TemporaryFolder folder;
    const Bytes good = good_table(folder);
    size_t refused = 0;
    test::for_each_damage(good, layout::descriptor(6), [&](const Bytes& bytes) {
        const Status status = damaged_status(folder, bytes);
        if (!status.is_ok()) {
            ++refused;
            CHECK(status.code() == Code::BUNDLE_INVALID);
        }
    });
    CHECK(refused > 1000);
}
