// The leaves below every ring: status catalogue, arena, byte buffer, mapped files, SHA-256.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "base/sha256_forms.h"
#include "base/status.h"
#include "tests/test.h"

namespace rankd {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// A folder of its own that is gone when the test ends.
struct TemporaryFolder {
    TemporaryFolder() {
        path = std::filesystem::temp_directory_path() / ("rankd-base-test-" + std::to_string(::getpid()));
        std::filesystem::create_directories(path);
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

TEST("memory that only a burst needed goes after a thousand uses without it; a steady state keeps its own") {
    constexpr size_t kBurst = 32 << 20, kSteady = 100'000;
    ByteBuffer buffer;
    Arena arena;
    buffer.extend(kBurst);
    arena.allocate<uint8_t>(kBurst);
    for (size_t use = 0; use < 3 * HighWater::kUses; ++use) {
        buffer.recycle();
        buffer.extend(kSteady);
        arena.reset();
        arena.allocate<uint8_t>(kSteady);
    }
    CHECK(buffer.capacity() <= HighWater::kAlwaysKept);
    CHECK(arena.capacity_bytes() <= HighWater::kAlwaysKept);
    const uint8_t* const before = buffer.data();
    for (size_t use = 0; use < 2 * HighWater::kUses; ++use) buffer.recycle();
    CHECK(buffer.data() == before);
}

TEST("SHA-256 gives the published digests of FIPS 180-4 and NIST's example messages") {
    CHECK_EQ(sha256_hex(bytes_of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_EQ(sha256_hex(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_EQ(sha256_hex(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK_EQ(sha256_hex(bytes_of(
                 "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                 "nopqrstu")),
             "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK_EQ(sha256_hex(bytes_of(std::string(1'000'000, 'a'))),
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST("both forms of SHA-256 make the same of any blocks") {
    if (sha256_compress() == sha256_compress_scalar) return;
    uint32_t scalar[8] = {1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF}, wide[8];
    std::copy(std::begin(scalar), std::end(scalar), wide);
    std::vector<uint8_t> bytes(64 * 20 + 1);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i * 31 + i / 7);
    for (const size_t blocks : {0, 1, 2, 17}) {
        sha256_compress_scalar(scalar, bytes.data() + 1, blocks);
        sha256_compress()(wide, bytes.data() + 1, blocks);
        CHECK(std::equal(std::begin(scalar), std::end(scalar), wide));
    }
}

TEST("SHA-256 does not care how a message is cut into pieces") {
    std::string message;
    for (int i = 0; i < 300; ++i) message.push_back(static_cast<char>(i * 7));
    for (size_t length = 0; length < message.size(); ++length) {
        const std::string_view text = std::string_view(message).substr(0, length);
        Sha256 hash;
        for (size_t at = 0, piece = 1; at < text.size(); at += piece, piece = piece % 67 + 3)
            hash.update(bytes_of(text.substr(at, piece)));
        CHECK_EQ(sha256_hex(hash.finish()), sha256_hex(bytes_of(text)));
    }
}

TEST("a mapped file shows its bytes and survives being moved") {
    const TemporaryFolder folder;
    std::ofstream(folder.path / "data") << "some bytes";
    auto opened = MappedFile::open(folder.path / "data");
    CHECK_OK(opened);
    MappedFile first = std::move(opened).value();
    MappedFile second(std::move(first));
    CHECK_EQ(first.size(), 0u);
    first = std::move(second);
    CHECK_EQ(std::string(reinterpret_cast<const char*>(first.data()), first.size()), "some bytes");
}

TEST("a file of any length can be touched throughout") {
    const TemporaryFolder folder;
    for (const size_t size : {0, 1, 4096, 4097, 100'000}) {
        std::ofstream(folder.path / "data") << std::string(size, 'x');
        const auto opened = MappedFile::open(folder.path / "data");
        CHECK_OK(opened);
        opened.value().prefault();
        CHECK_EQ(opened.value().size(), size);
    }
}

TEST("an empty file maps to no bytes") {
    const TemporaryFolder folder;
    std::ofstream(folder.path / "empty").flush();
    const auto opened = MappedFile::open(folder.path / "empty");
    CHECK_OK(opened);
    CHECK_EQ(opened.value().size(), 0u);
}

TEST("a missing file and a folder are told apart, and the message names the path") {
    const TemporaryFolder folder;
    const auto missing = MappedFile::open(folder.path / "item.ids");
    CHECK(missing.status().code() == Code::BUNDLE_MISSING_FILE);
    CHECK(missing.status().message().find("item.ids") != std::string::npos);
    CHECK(MappedFile::open(folder.path).status().code() == Code::BUNDLE_INVALID);
}

TEST("the catalogue numbers its codes by their place") {
    size_t size = 0;
    const CodeInfo* catalogue = code_catalogue(size);
    for (size_t i = 0; i < size; ++i) CHECK_EQ(static_cast<size_t>(catalogue[i].code), i);
    CHECK_EQ(code_name(Code::SHAPE_MISMATCH), "SHAPE_MISMATCH");
}

TEST("a status keeps its code when a place is put before its message") {
    const Status status = Status(Code::BUNDLE_INVALID, "bad magic").within("item.table");
    CHECK(status.code() == Code::BUNDLE_INVALID);
    CHECK_EQ(status.message(), "item.table: bad magic");
    CHECK(Status::ok().within("anything").is_ok());
    CHECK_EQ(Status::overloaded("later", 20).retry_after_ms(), 20u);
}

TEST("an arena keeps its memory over a reset and merges its blocks") {
    Arena arena(1024);
    for (int i = 0; i < 10; ++i) (void)arena.allocate<uint64_t>(100);
    const size_t capacity = arena.capacity_bytes();
    arena.reset();
    CHECK_EQ(arena.capacity_bytes(), capacity);
    CHECK_EQ(arena.used_bytes(), 0u);
    for (int i = 0; i < 10; ++i) (void)arena.allocate<uint8_t>(800);
    CHECK_EQ(arena.capacity_bytes(), capacity);
}

TEST("an arena aligns large spans for SIMD and small ones for their type") {
    Arena arena(4096);
    (void)arena.allocate<uint8_t>(3);
    CHECK_EQ(reinterpret_cast<uintptr_t>(arena.allocate<float>(16).data()) % 64, 0u);
    (void)arena.allocate<uint8_t>(1);
    CHECK_EQ(reinterpret_cast<uintptr_t>(arena.allocate<uint64_t>(1).data()) % 8, 0u);
}

TEST("an arena vector grows and keeps what it had") {
    Arena arena;
    ArenaVector<int> numbers(arena);
    for (int i = 0; i < 1000; ++i) numbers.push_back(i);
    CHECK_EQ(numbers.size(), 1000u);
    for (int i = 0; i < 1000; ++i) CHECK_EQ(numbers.span()[static_cast<size_t>(i)], i);
}

TEST("a byte buffer grows, and an old view of it stays readable") {
    ByteBuffer buffer(4);
    buffer.append("abcd");
    const auto old = buffer.storage();
    buffer.append("efgh");
    buffer.push('!');
    CHECK_EQ(std::string(reinterpret_cast<const char*>(buffer.data()), buffer.size()), "abcdefgh!");
    CHECK_EQ(old[3], static_cast<uint8_t>('d'));
    buffer.truncate(2);
    CHECK_EQ(buffer.bytes().size(), 2u);
}

TEST("a manual clock moves only when told") {
    ManualClock clock;
    const Micros start = clock.now();
    clock.advance(250);
    CHECK_EQ(clock.now() - start, 250);
}

}  // namespace
}  // namespace rankd
