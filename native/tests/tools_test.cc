// rankd-bundle from the inside: command lines, NumPy files, reports, and the exit codes of its writing commands.
#include "index/index.h"
#include "store/id_map.h"
#include "store/table.h"
#include "tests/store_support.h"
#include "tests/test.h"
#include "tools/commands.h"
#include "tools/npy.h"
#include "tools/report.h"

namespace {

using namespace rankd;
using namespace rankd::tools;
using rankd::test::Bytes;
using rankd::test::TemporaryFolder;

const Command kAny = {"any",
                      "",
                      "",
                      {"out", "from", "rows", "column", "vectors", "kind", "metric", "min-recall", "recall-k", "m",
                       "ef-construction", "ef-search", "seed"},
                      {"fast", "no-speed"},
                      0,
                      nullptr};

Result<Args> parse(std::vector<std::string> words, size_t positional_count = 0) {
    Command command = kAny;
    command.positional_count = positional_count;
    return Args::parse(command, words);
}

int run(int (*command)(const Args&), std::vector<std::string> words, size_t positional_count = 0) {
    words.push_back("--json");
    const auto args = parse(std::move(words), positional_count);
    CHECK_OK(args);
    return command(*args);
}

template <typename T>
std::filesystem::path write_npy(const std::filesystem::path& path, const std::string& descr, const std::string& shape,
                                const std::vector<T>& values, uint8_t version = 1, const std::string& order = "False") {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
    Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', version, 0};
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes.push_back(static_cast<uint8_t>(header.size() >> (8 * i)));
    bytes.insert(bytes.end(), header.begin(), header.end());
    const auto* data = reinterpret_cast<const uint8_t*>(values.data());
    bytes.insert(bytes.end(), data, data + values.size() * sizeof(T));
    test::write_bytes(path, bytes);
    return path;
}

void check_refused(const Status& status, std::string_view part) {
    CHECK(status.code() == Code::INVALID_ARGUMENT);
    if (status.message().find(part) == std::string::npos) CHECK_EQ(status.message(), std::string(part));
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    test::write_bytes(path, Bytes(text.begin(), text.end()));
}

}  // namespace

TEST("options take a value behind a blank or an equals sign and may be repeated") {
    const auto args = parse({"--out", "a", "--column=x=f32:y", "--column", "z", "--fast", "file"}, 1);
    CHECK_OK(args);
    CHECK(*args->text("out") == "a");
    CHECK_EQ(args->all("column").size(), size_t{2});
    CHECK_EQ(args->all("column")[0], "x=f32:y");
    CHECK(args->flag("fast"));
    CHECK(!args->flag("json"));
    CHECK_EQ(args->positional(0), "file");
    CHECK(*args->number_or("rows", 7) == 7);
}

TEST("unknown options, missing values, stray words and wrong numbers are told") {
    check_refused(parse({"--colunm", "x"}).status(), "unknown option \"--colunm\"");
    check_refused(parse({"--fast=1"}).status(), "unknown option \"--fast=1\"");
    check_refused(parse({"--out"}).status(), "--out expects a value");
    check_refused(parse({"x"}).status(), "expected 0 words besides the options, got 1");
    check_refused(parse({"--rows", "-1"})->number_or("rows", 0).status(),
                  "--rows expects a whole number up to 4294967295, got \"-1\"");
    check_refused(parse({"--rows", "4294967296"})->number_or("rows", 0).status(), "--rows expects");
    check_refused(parse({"--min-recall", "0.9x"})->decimal_or("min-recall", 0).status(), "--min-recall expects a number");
    check_refused(parse({})->text("out").status(), "--out is required");
}

TEST("arrays of one and two dimensions, of every version and integer width, are read") {
    const TemporaryFolder folder;
    for (const uint8_t version : {1, 2, 3}) {
        const auto array = NpyArray::open(write_npy<float>(folder / "a.npy", "<f4", "(2, 3)", {1, 2, 3, 4, 5, 6}, version));
        CHECK_OK(array);
        CHECK_EQ(array->rows(), uint64_t{2});
        CHECK_EQ(array->width(), uint64_t{3});
        CHECK((*array->floats())[5] == 6.0f);
    }
    CHECK((*NpyArray::open(write_npy<uint16_t>(folder / "h.npy", "<f2", "(2,)", {0x3C00, 0xC000}))->floats())[1] == -2.0f);
    CHECK((*NpyArray::open(write_npy<int64_t>(folder / "i.npy", "<i8", "(2,)", {7, 4294967295}))->u32())[1] == 4294967295u);
    CHECK((*NpyArray::open(write_npy<int32_t>(folder / "i.npy", "<i4", "(1, 2)", {7, 9}))->u32())[1] == 9u);
    CHECK((*NpyArray::open(write_npy<uint8_t>(folder / "i.npy", "|u1", "(2,)", {7, 255}))->u64())[1] == uint64_t{255});
    CHECK((*NpyArray::open(write_npy<uint64_t>(folder / "i.npy", "<u8", "(1,)", {~uint64_t{0}}))->u64())[0] == ~uint64_t{0});
    CHECK((*NpyArray::open(write_npy<uint64_t>(folder / "i.npy", "<u8", "(0,)", {}))->u64()).empty());
}

TEST("an array that does not fit is refused with its file and the reason") {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const auto opened = [&](const std::string& descr, const std::string& shape, const std::string& order = "False") {
        return NpyArray::open(write_npy<float>(path, descr, shape, {1, 2, 3, 4}, 1, order)).status();
    };
    check_refused(opened("<f4", "(5,)"), "a.npy: has 16 bytes of data, which is not (5, 1) f4");
    check_refused(opened("<f4", "(4294967296, 4294967296)"), "bytes of data, which is not");
    check_refused(opened("<f4", "(2, 2)", "True"), "Fortran order");
    check_refused(opened("<f4", "(1, 2, 2)"), "has 3 dimensions");
    check_refused(opened("<f4", "()"), "has 0 dimensions");
    check_refused(opened("<f4", "(2, x)"), "has no readable shape");
    check_refused(opened(">f4", "(4,)"), "has dtype >f4");
    check_refused(opened("<U4", "(4,)"), "has dtype <U4");
    check_refused(opened("|b1", "(16,)"), "has dtype |b1");
    check_refused(NpyArray::open(write_npy<double>(path, "<f8", "(1,)", {1}))->floats().status(),
                  "has dtype f8, expected f4 or f2");
    check_refused(NpyArray::open(write_npy<float>(path, "<f4", "(1,)", {1}))->u32().status(), "expected integers");
    check_refused(NpyArray::open(write_npy<int64_t>(path, "<i8", "(2, 2)", {1, 2, 3, -1}))->u32().status(),
                  "value 1 of row 1 is negative or too large");
    check_refused(NpyArray::open(write_npy<int64_t>(path, "<i8", "(1,)", {4294967296}))->u32().status(), "too large for u32");
    write_text(path, "not an array, but long enough");
    check_refused(NpyArray::open(path).status(), "is not a .npy file");
    CHECK(NpyArray::open(folder / "none.npy").status().code() == Code::BUNDLE_MISSING_FILE);
    const Bytes good = test::read_bytes(write_npy<float>(path, "<f4", "(2, 2)", {1, 2, 3, 4}));
    for (size_t size = 0; size < good.size(); ++size) {
        test::write_bytes(path, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
        CHECK(!NpyArray::open(path).is_ok());
    }
}

TEST("a report is lines for people and JSON for programs") {
    Report report, column;
    column.add("name", "a\"b\n");
    report.add("rows", uint32_t{3});
    report.add("recall", 0.5);
    report.add("written", true);
    report.add("columns", std::vector<Report>{column});
    CHECK_EQ(report.to_json(), "{\"rows\":3,\"recall\":0.5,\"written\":true,\"columns\":[{\"name\":\"a\\\"b\\u000a\"}]}");
    CHECK(report.to_text().starts_with("rows: 3\nrecall: 0.5\nwritten: yes\ncolumns: 1\n  -\n    name: a"));
}

TEST("ids are written from texts and from integers up to 2^64 - 1, mixtures and duplicates refused") {
    const TemporaryFolder folder;
    const std::string in = folder / "in.json", out = folder / "out.ids";
    write_text(in, R"(["b", "a", "\u00e9"])");
    CHECK_EQ(run(command_ids, {"--from", in, "--out", out}), kSuccess);
    CHECK_EQ((*store::IdMap::open(out))->find("\xC3\xA9"), 2u);
    write_text(in, "[18446744073709551615, 0]");
    CHECK_EQ(run(command_ids, {"--from", in, "--out", out}), kSuccess);
    CHECK_EQ((*store::IdMap::open(out))->find(~uint64_t{0}), 0u);
    for (const char* wrong : {R"(["a", 1])", "[1, \"a\"]", "[1, -1]", "[1.5]", "[1, 1]", "[\"\"]", "{}", "[1", "[null]"}) {
        write_text(in, wrong);
        CHECK_EQ(run(command_ids, {"--from", in, "--out", out}), kFailed);
    }
    CHECK_EQ((*store::IdMap::open(out))->size(), 2u);  // what failed did not replace it
    CHECK_EQ(run(command_ids, {"--from", std::string(folder / "none.json"), "--out", out}), kFailed);
    CHECK_EQ(run(command_ids, {"--from", in}), kUsage);
}

TEST("tables are written from arrays, with widths from their shapes") {
    const TemporaryFolder folder;
    const std::string f = write_npy<float>(folder / "f.npy", "<f4", "(3, 2)", {1, 2, 3, 4, 5, 6});
    const std::string i = write_npy<int64_t>(folder / "i.npy", "<i8", "(3,)", {7, 8, 9});
    const std::string offsets = write_npy<int64_t>(folder / "o.npy", "<i8", "(4,)", {0, 2, 2, 3}), out = folder / "out.table";
    CHECK_EQ(run(command_table, {"--out", out, "--rows", "3", "--column", "a=f16:" + f, "--column", "b=u64:" + i, "--column",
                                 "c=ragged:" + i + "," + offsets}),
             kSuccess);
    const auto table = store::Table::open(out);
    CHECK_OK(table);
    CHECK_EQ((*table)->column("a")->width(), 2u);
    CHECK((*table)->column("b")->u64_row(2)[0] == uint64_t{9});
    CHECK((*table)->column("c")->u32_row(0)[1] == 8u);
    CHECK_EQ(run(command_info, {out}, 1), kSuccess);
    CHECK_EQ(run(command_table, {"--out", out, "--rows", "4", "--column", "a=f16:" + f}), kFailed);
    CHECK_EQ(run(command_table, {"--out", out, "--rows", "3", "--column", "a=u32:" + f}), kFailed);
    for (const std::string& wrong : {"a=f64:" + f, std::string("a"), "a:" + f, "a=ragged:" + i, "a=f32:" + f + "," + f}) {
        CHECK_EQ(run(command_table, {"--out", out, "--rows", "3", "--column", wrong}), kUsage);
    }
    CHECK_EQ(run(command_table, {"--out", out, "--rows", "3"}), kUsage);
}

TEST("an index below --min-recall is not written and fails") {
    const TemporaryFolder folder;
    const std::string vectors = write_npy<float>(folder / "v.npy", "<f4", "(3000, 24)", test::random_floats(3000 * 24, 1)),
                      out = folder / "out.index";
    const std::vector<std::string> poor = {
        "--vectors",         vectors, "--out",       out, "--kind",     "hnsw", "--metric",  "dot", "--m", "2",
        "--ef-construction", "4",     "--ef-search", "4", "--recall-k", "5",    "--no-speed"};
    std::vector<std::string> demanding = poor;
    demanding.insert(demanding.end(), {"--min-recall", "0.99"});
    CHECK_EQ(run(command_index, demanding), kFailed);
    CHECK_EQ(folder.file_count(), size_t{1});
    CHECK_EQ(run(command_index, poor), kSuccess);
    CHECK_EQ(folder.file_count(), size_t{2});
    CHECK_EQ((*index::open_index(out))->size(), 3000u);
    CHECK_EQ(run(command_info, {out}, 1), kSuccess);
    CHECK_EQ(run(command_info, {vectors}, 1), kFailed);
    CHECK_EQ(run(command_index, {"--vectors", vectors, "--out", out, "--kind", "ivf", "--metric", "dot"}), kUsage);
    CHECK_EQ(run(command_index, {"--vectors", vectors, "--out", out, "--kind", "hnsw", "--metric", "dot", "--recall-k", "0"}),
             kUsage);
}
