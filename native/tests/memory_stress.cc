// A program that loads, asks and unloads a bundle 300 times and prints how much higher the peak of its anonymous memory was in
// the third hundred than in the second, as a share. The first hundred settles; peaks, because between them the allocator's free
// pages come and go by a tenth. Without Node, whose own heap moves by more than what is looked for here.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/memory.h"
#include "engine/core.h"
#include "engine/handle.h"

namespace rankd {
namespace {

/// Memory that belongs to this process alone; mapped files are the kernel's to keep or drop.
double anonymous_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("RssAnon:")) return std::strtod(line.c_str() + sizeof("RssAnon:") - 1, nullptr);
    return 0;
}

/// One life of a model: loaded (its golden requests replayed), asked, unloaded.
bool cycle(engine::Core& core, engine::Handle& handle, const char* bundle) {
    const auto loaded = core.load(bundle);
    if (!loaded.is_ok()) {
        std::fprintf(stderr, "%s\n", loaded.status().message().c_str());
        return false;
    }
    const std::string body = R"({"history": ["cmake", "libboost-dev"], "k": 10})";
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(body.data()), body.size());
    for (int i = 0; i < 16; ++i)
        handle.submit(bytes, wire::Codec::kJson, engine::BareBody{wire::Operation::kRecommend, loaded->name, 0, ""});
    while (handle.flush(1000).more) {
    }
    return core.unload(loaded->name, loaded->version).is_ok();
}

int run(const char* bundle) {
    constexpr int kCycles = 100;
    prefer_returning_memory();
    const auto core = engine::Core::create({});
    const auto handle = std::move(core->attach()).value();
    double peaks[3] = {0, 0, 0};
    for (double& peak : peaks) {
        for (int i = 0; i < kCycles; ++i) {
            if (!cycle(*core, *handle, bundle)) return 1;
            peak = std::max(peak, anonymous_kib());
        }
    }
    std::printf("%f\n", peaks[2] / peaks[1] - 1);
    handle->detach();
    core->close();
    return 0;
}

}  // namespace
}  // namespace rankd

int main(int argc, char** argv) {
    if (argc == 2) return rankd::run(argv[1]);
    std::fprintf(stderr, "usage: memory_stress BUNDLE\n");
    return 2;
}
