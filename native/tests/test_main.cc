// Runs the registered tests; an argument keeps those whose name contains it. Prints one line per failure and a count.
#include <cstdio>
#include <cstring>

#include "tests/test.h"

namespace rankd::test {

std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

static int failures_of_case = 0;

void fail(const char* file, int line, const std::string& message) {
    ++failures_of_case;
    std::fprintf(stderr, "  %s:%d: %s\n", file, line, message.c_str());
}

}  // namespace rankd::test

int main(int argc, char** argv) {
    using namespace rankd::test;
    const char* filter = argc > 1 ? argv[1] : "";
    int passed = 0, failed = 0;
    for (const Case& test : cases()) {
        if (std::strstr(test.name.c_str(), filter) == nullptr) continue;
        failures_of_case = 0;
        test.body();
        if (failures_of_case == 0) {
            ++passed;
        } else {
            ++failed;
            std::fprintf(stderr, "FAILED %s\n", test.name.c_str());
        }
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
