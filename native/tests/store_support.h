// What the tests of files share: a folder that vanishes, random numbers, and damaged copies of a good file.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace rankd::test {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        static int made = 0;
        path_ =
            std::filesystem::temp_directory_path() / ("rankd-test-" + std::to_string(::getpid()) + "-" + std::to_string(made++));
        std::filesystem::create_directories(path_);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }

    std::filesystem::path operator/(const char* name) const { return path_ / name; }
    size_t file_count() const {
        return static_cast<size_t>(
            std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
    }

  private:
    std::filesystem::path path_;
};

using Bytes = std::vector<uint8_t>;

inline Bytes read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

template <typename T>
T get(const Bytes& bytes, size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

template <typename T>
void put(Bytes& bytes, size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof(T));
}

/// Calls `visit` with damaged copies of `good`: every aligned word of the first `header_bytes` overwritten by values that hurt,
/// the file cut at every fiftieth, random bytes changed anywhere.
inline void for_each_damage(const Bytes& good, size_t header_bytes, const std::function<void(const Bytes&)>& visit) {
    for (size_t at = 0; at + 4 <= header_bytes; at += 4) {
        const auto old = get<uint32_t>(good, at);
        for (const uint32_t value :
             {0u, 1u, 3u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, old + 1, old - 1, old ^ 0x40u, old + 64}) {
            Bytes damaged = good;
            put(damaged, at, value);
            visit(damaged);
        }
        if (at % 8 == 0 && at + 8 <= header_bytes) {
            for (const uint64_t value : {~uint64_t{0}, ~uint64_t{63}, uint64_t{1} << 62, uint64_t{good.size()} / 64 * 64}) {
                Bytes damaged = good;
                put(damaged, at, value);
                visit(damaged);
            }
        }
    }
    for (size_t part = 0; part < 50; ++part)
        visit(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() * part / 50)));
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
        Bytes damaged = good;
        for (uint32_t changes = random() % 4 + 1; changes > 0; --changes)
            damaged[random() % good.size()] = static_cast<uint8_t>(random());
        visit(damaged);
    }
}

inline std::vector<float> random_floats(size_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
}

/// `count` points of `dim` dimensions around a few centres, as embeddings of real catalogues lie.
inline std::vector<float> clustered_floats(size_t count, uint32_t dim, size_t centres, uint32_t seed) {
    const std::vector<float> centre = random_floats(centres * dim, seed);
    std::vector<float> values = random_floats(count * dim, seed + 1);
    for (size_t i = 0; i < values.size(); ++i) values[i] = centre[(i / dim * 7919 % centres) * dim + i % dim] + 0.5f * values[i];
    return values;
}

}  // namespace rankd::test
