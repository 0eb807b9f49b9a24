#include "wire/codec.h"

#include <algorithm>
#include <array>

namespace rankd::wire {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"recommend", "rank",  "similar", "score",
                                                    "infer",     "embed", "explain", "feedback"};

}  // namespace

std::string_view operation_name(Operation operation) {
    return kNames[static_cast<size_t>(operation) - 1];
}

std::optional<Operation> operation_from_number(uint64_t number) {
    if (number < 1 || number > kNames.size()) return std::nullopt;
    return static_cast<Operation>(number);
}

std::optional<Operation> operation_from_name(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return operation_from_number(static_cast<uint64_t>(found - kNames.begin()) + 1);
}

}  // namespace rankd::wire
