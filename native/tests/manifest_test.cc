// A manifest says precisely what is wrong with it, and a bundle that was tampered with is not opened.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "pipeline/bundle.h"
#include "tests/fake_sessions.h"
#include "tests/temporary_folder.h"
#include "tests/test.h"

namespace rankd {
namespace {

using pipeline::Bundle;
using test::TemporaryFolder;
namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

/// A copy of a fixture whose manifest has `from` replaced by `to`.
Status open_changed(const std::string& model, const std::string& from, const std::string& to) {
    const TemporaryFolder folder;
    fs::copy(test::fixture_model(model), folder.path());
    std::string text = read_text(folder.path() / "manifest.json");
    const size_t at = text.find(from);
    CHECK(at != std::string::npos);
    if (at != std::string::npos) text.replace(at, from.size(), to);
    write_text(folder.path() / "manifest.json", text);
    return Bundle::open(folder.path(), test::fake_sessions()).status();
}

void check_refused(const Status& status, Code code, std::string_view part) {
    CHECK_EQ(code_name(status.code()), code_name(code));
    if (status.message().find(part) == std::string::npos)
        test::fail(__FILE__, __LINE__, "\"" + status.message() + "\" lacks \"" + std::string(part) + "\"");
}

TEST("the fixtures open, with their rows and operations") {
    const auto tiny = Bundle::open(test::fixture_model("tiny"), test::fake_sessions());
    CHECK_OK(tiny);
    if (!tiny.is_ok()) return;
    CHECK_EQ((*tiny)->item_count(), 64u);
    CHECK_EQ((*tiny)->user_count(), 8u);
    CHECK((*tiny)->plan(wire::Operation::kRecommend) != nullptr);
    CHECK((*tiny)->plan(wire::Operation::kScore) == nullptr);
    CHECK_OK(Bundle::open(test::fixture_model("scorer"), test::fake_sessions()));
}

TEST("a slip in a manifest is named with its place") {
    check_refused(open_changed("tiny", "\"format\": 1", "\"format\": 2"), Code::BUNDLE_INVALID, "this engine reads format 1");
    check_refused(open_changed("tiny", "\"version\": \"1.0.0\"", "\"version\": \"one\""), Code::BUNDLE_INVALID,
                  "major.minor.patch");
    check_refused(open_changed("tiny", "\"stage\": \"lookup\"", "\"stage\": \"look\""), Code::BUNDLE_INVALID,
                  "expected one of: lookup, retrieve");
    check_refused(open_changed("tiny", "\"seen\": true", "\"sene\": true"), Code::BUNDLE_INVALID, "unknown key \"sene\"");
    check_refused(open_changed("tiny", "\"pool\": \"mean\"", "\"pool\": \"max\""), Code::BUNDLE_INVALID,
                  "expected one of: mean, sum");
    check_refused(open_changed("tiny", "\"file\": \"ranker.onnx\"", "\"file\": \"../ranker.onnx\""), Code::BUNDLE_INVALID,
                  "name of a file");
    check_refused(open_changed("scorer", "\"below\": 0.7", "\"below\": 0.1"), Code::BUNDLE_INVALID, "must rise");
}

TEST("a manifest that does not fit its graphs and tables is refused before the first request") {
    check_refused(open_changed("tiny", "\"from\": \"row_user\"", "\"from\": \"history_count\""), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "row_user");
    check_refused(open_changed("tiny", "\"column\": \"item.embedding\", \"pool\"", "\"column\": \"item.nothing\", \"pool\""),
                  Code::BUNDLE_SIGNATURE_MISMATCH, "item.nothing");
    check_refused(open_changed("tiny", "[\"user_vector\"]", "[\"vector\"]"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "only: user_vector");
    check_refused(open_changed("tiny", "\"item_item\", \"towers\"", "\"item_item\""), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "wants width 2");
    check_refused(open_changed("scorer", "\"amount\",", ""), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "wants width 4, the manifest provides 3");
}

TEST("a missing, short or changed file is refused with its name") {
    const TemporaryFolder folder;
    fs::copy(test::fixture_model("tiny"), folder.path());
    const fs::path table = folder.path() / "item.table";
    std::string bytes = read_text(table);
    bytes[bytes.size() / 2] ^= 1;
    write_text(table, bytes);
    check_refused(Bundle::open(folder.path(), test::fake_sessions()).status(), Code::BUNDLE_CHECKSUM_MISMATCH,
                  "item.table has sha256");
    write_text(table, bytes.substr(0, 100));
    check_refused(Bundle::open(folder.path(), test::fake_sessions()).status(), Code::BUNDLE_CHECKSUM_MISMATCH,
                  "item.table has 100 bytes");
    fs::remove(table);
    check_refused(Bundle::open(folder.path(), test::fake_sessions()).status(), Code::BUNDLE_MISSING_FILE, "item.table");
    fs::remove(folder.path() / "manifest.json");
    check_refused(Bundle::open(folder.path(), test::fake_sessions()).status(), Code::BUNDLE_MISSING_FILE, "manifest.json");
}

TEST("a manifest that is no JSON, or cut anywhere, is refused") {
    const std::string text = read_text(test::fixture_model("scorer") / "manifest.json");
    const TemporaryFolder folder;
    for (size_t length = 0; length + 2 < text.size(); length += 97) {
        write_text(folder.path() / "manifest.json", text.substr(0, length));
        CHECK(!Bundle::open(folder.path(), test::fake_sessions()).is_ok());
    }
}

}  // namespace
}  // namespace rankd
