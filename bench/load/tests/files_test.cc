// Corpus and recording: what is read back, and what is refused.
#include <cstdio>
#include <string>
#include <vector>

#include "corpus.h"
#include "recording.h"
#include "tests/temporary_folder.h"
#include "tests/test.h"

namespace rankd::load {
namespace {

std::string u32(uint32_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string u64(uint64_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string write(const test::TemporaryFolder& folder, const std::string& content) {
    const std::string path = folder.path() / "file.bin";
    std::FILE* file = std::fopen(path.c_str(), "wb");
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
    return path;
}

std::string problem_of_corpus(const std::string& content) {
    const test::TemporaryFolder folder;
    return Corpus::open(write(folder, content)).status().message();
}

std::string problem_of_recording(const std::string& content) {
    const test::TemporaryFolder folder;
    return Recording::open(write(folder, content), 4).status().message();
}

bool contains(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return true;
    std::fprintf(stderr, "  \"%s\" lacks \"%s\"\n", text.c_str(), part.c_str());
    return false;
}

const std::string kFrame = std::string("\x98\x01\x02\xce\0\0\0\0", 8) + "rest";

TEST("a corpus gives its entries back, empty ones too") {
    const test::TemporaryFolder folder;
    const auto corpus = Corpus::open(write(folder, "RKDC" + u32(1) + u32(2) + u32(3) + "abc" + u32(0)));
    CHECK_OK(corpus);
    CHECK_EQ(corpus->size(), 2u);
    CHECK_EQ(corpus->entries()[0].size(), size_t{3});
    CHECK_EQ(corpus->entries()[1].size(), size_t{0});
}

TEST("a file that is no corpus is refused with the reason") {
    CHECK(contains(problem_of_corpus("RKDX" + u32(1) + u32(1)), "is no corpus file"));
    CHECK(contains(problem_of_corpus("RK"), "is no corpus file"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(2) + u32(1)), "has format 2, expected 1"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(1) + u32(0)), "holds no entry"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(1) + u32(2) + u32(1) + "a"), "ends inside entry 1 of 2"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(1) + u32(1) + u32(UINT32_MAX) + "a"), "ends inside entry 0 of 1"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(1) + u32(UINT32_MAX)), "ends inside entry 0"));
    CHECK(contains(problem_of_corpus("RKDC" + u32(1) + u32(1) + u32(1) + "ab"), "1 bytes follow the last entry"));
    CHECK(contains(Corpus::open("/no/such/file").status().message(), "/no/such/file"));
}

TEST("an rpc image is a masked frame whose id can be written in place") {
    const test::TemporaryFolder folder;
    const auto corpus =
        Corpus::open(write(folder, "RKDC" + u32(1) + u32(1) + u32(static_cast<uint32_t>(kFrame.size())) + kFrame));
    auto images = Images::rpc(*corpus, false);
    CHECK_OK(images);
    const auto image = images->with_id(0, 0x01020304);
    CHECK_EQ(image.size(), 6 + kFrame.size());
    CHECK_EQ(int{image[6]}, 0x98);
    CHECK_EQ(std::string(image.begin() + 6 + 4, image.begin() + 6 + 8), std::string("\x01\x02\x03\x04"));
}

TEST("a deadline is written behind the target, and a frame without room for one is refused") {
    const test::TemporaryFolder folder;
    const auto image_of = [&](const std::string& target, const std::string& deadline) {
        const std::string frame = "\x98\x01\x02\xce" + u32(0) + target + deadline + "\xc0\xc0\xc0\x80";
        const auto corpus =
            Corpus::open(write(folder, "RKDC" + u32(1) + u32(1) + u32(static_cast<uint32_t>(frame.size())) + frame));
        auto images = Images::rpc(*corpus, true);
        if (!images.is_ok()) return images.status().message();
        const auto image = images->with_deadline(0, 7, 0x0a0b0c0d);
        const auto at = image.begin() + 6 + 8 + static_cast<long>(target.size());
        return std::string(at, at + 5);
    };
    const std::string none = "\xce" + u32(0), written = "\xce\x0a\x0b\x0c\x0d";
    CHECK_EQ(image_of("\xa3"
                      "abc",
                      none),
             written);
    CHECK_EQ(image_of("\xd9\x28" + std::string(40, 'x'), none), written);
    CHECK(contains(image_of("\xa3"
                            "abc",
                            "\x32"),
                   "entry 0 has no deadline written as a 32-bit integer"));
    CHECK(contains(image_of("\xd9\xff"
                            "abc",
                            none),
                   "entry 0 has no deadline"));
    CHECK(contains(image_of("\xc0", none), "entry 0 has no deadline"));
}

TEST("an entry that is no request frame is named") {
    const test::TemporaryFolder folder;
    const auto corpus = Corpus::open(write(folder, "RKDC" + u32(1) + u32(2) + u32(12) + kFrame + u32(8) + "{\"a\": 1}"));
    CHECK(contains(Images::rpc(*corpus, false).status().message(), "entry 1 is no request frame"));
}

TEST("an http image is a whole request") {
    const test::TemporaryFolder folder;
    const auto corpus = Corpus::open(write(folder, "RKDC" + u32(1) + u32(2) + u32(2) + "{}" + u32(0)));
    const Images images = Images::http(*corpus, "h:1", "/v1", {{"X-A", "b"}});
    const auto text = [&](uint32_t place) { return std::string(images[place].begin(), images[place].end()); };
    CHECK_EQ(text(0), std::string("POST /v1 HTTP/1.1\r\nHost: h:1\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}"));
    CHECK_EQ(text(1), std::string("POST /v1 HTTP/1.1\r\nHost: h:1\r\nX-A: b\r\nContent-Length: 0\r\n\r\n"));
}

TEST("a recording gives back what was written") {
    const test::TemporaryFolder folder;
    const std::string path = folder.path() / "run.bin";
    CHECK_OK(write_recording(path, {{0, 3}, {7, 0}, {7, 1}}, 100));
    const auto recording = Recording::open(path, 4);
    CHECK_OK(recording);
    CHECK_EQ(recording->size(), uint64_t{3});
    CHECK_EQ(recording->duration(), Nanos{100});
    CHECK_EQ(recording->at(0).place, 3u);
    CHECK_EQ(recording->at(2).offset, Nanos{7});
}

TEST("a file that is no recording, or one of another corpus, is refused with the reason") {
    const std::string head = "RKDR" + u32(1);
    CHECK(contains(problem_of_recording("RKDC"), "is no recording"));
    CHECK(contains(problem_of_recording("RKDR" + u32(9) + u64(0) + u64(0)), "has format 9, expected 1"));
    CHECK(contains(problem_of_recording(head + u64(0) + u64(0)), "holds no request"));
    CHECK(contains(problem_of_recording(head + u64(2) + u64(0) + u64(0) + u32(0)), "says 2 requests and has bytes for 1"));
    CHECK(contains(problem_of_recording(head + u64(UINT64_MAX / 12) + u64(0)), "and has bytes for 0"));
    CHECK(contains(problem_of_recording(head + u64(1) + u64(5) + u64(0) + u32(4)), "sends entry 4 of the corpus, which has 4"));
    CHECK(contains(problem_of_recording(head + u64(1) + u64(5) + u64(6) + u32(0)), "request 0 is out of order"));
    CHECK(
        contains(problem_of_recording(head + u64(2) + u64(5) + u64(4) + u32(0) + u64(3) + u32(0)), "request 1 is out of order"));
    CHECK(contains(problem_of_recording(head + u64(1) + u64(UINT64_MAX) + u64(0) + u32(0)), "longer than a week"));
    CHECK(contains(write_recording("/no/such/folder/run.bin", {}, 0).message(), "/no/such/folder"));
}

}  // namespace
}  // namespace rankd::load
