// Replays a corpus without libFuzzer, then the same files cut short and with bits turned over, in an order that never changes.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

std::vector<Bytes> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<Bytes> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

size_t run(const Bytes& bytes) {
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    return 1;
}

size_t run_truncations(const Bytes& bytes) {
    size_t runs = 0;
    for (size_t length = 0; length < bytes.size(); ++length)
        runs += run(Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)));
    return runs;
}

/// One to four bits or bytes changed; half of the bytes become those that msgpack and JSON give a meaning to.
Bytes mutate(const Bytes& original, std::mt19937& random) {
    constexpr uint8_t kTelling[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xca, 0xcb,
                                    0xcf, 0xd3, 0xd4, 0xdb, 0xdc, 0xdd, 0xdf, 0xff, '"',  '\\', '{',  '[',  ',',  '-'};
    Bytes bytes = original;
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes && !bytes.empty(); ++i) {
        uint8_t& byte = bytes[random() % bytes.size()];
        if (random() % 2 == 0) {
            byte = static_cast<uint8_t>(byte ^ (1u << random() % 8));
        } else {
            byte = kTelling[random() % std::size(kTelling)];
        }
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: fuzz_corpus FOLDER [SECONDS]\n");
        return 2;
    }
    const std::vector<Bytes> corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "no corpus in %s\n", argv[1]);
        return 1;
    }
    const auto seconds = std::chrono::seconds(argc > 2 ? std::atoi(argv[2]) : 3);
    const auto end = std::chrono::steady_clock::now() + seconds;
    size_t runs = 0;
    for (const Bytes& bytes : corpus) runs += run(bytes) + run_truncations(bytes);
    std::mt19937 random(20'240'601);
    do {
        for (const Bytes& bytes : corpus) runs += run(mutate(bytes, random));
    } while (std::chrono::steady_clock::now() < end);
    std::printf("%zu files, %zu runs\n", corpus.size(), runs);
    return 0;
}
