// What an answer of `infer` depends on, as a short key: requests with one key have one answer.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/arena.h"
#include "wire/request.h"

namespace rankd::engine {

struct ResponseKey {
    uint64_t generation = 0;  ///< of the loaded model: each load has another
    std::array<uint64_t, 2> digest{};

    bool operator==(const ResponseKey&) const = default;
};

struct ResponseKeyHash {
    /// A part of a SHA-256 is as good as any hash of it.
    size_t operator()(const ResponseKey& key) const { return key.digest[0]; }
};

/// The same for inputs in any order; different where names, datatypes, shapes, bytes, wanted outputs (in their order), classes or
/// parameters differ. How the answer is to be written is no part of it. SHA-256, cut to 128 bits: callers choose the bytes, and
/// must not be able to choose them so that another caller gets their answer.
ResponseKey response_key(uint64_t generation, const wire::Request& request, Arena& arena);

}  // namespace rankd::engine
