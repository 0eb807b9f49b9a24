// Items changed since the bundle was published: tombstones, replaced vectors and columns, new items. One immutable snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "pipeline/bundle.h"
#include "wire/id.h"

namespace rankd::pipeline {

/// Every upsert or remove makes a new snapshot; readers keep the one they started with. Meant for thousands of items, not
/// millions: what has changed is searched exactly beside the index.
struct LiveItems {
    using Vectors = std::unordered_map<uint32_t, std::vector<float>>;  ///< by item row

    std::unordered_set<uint32_t> removed;
    std::unordered_map<const index::Index*, Vectors> vectors;
    std::unordered_map<const store::Column*, Vectors> columns;
    std::vector<std::string> new_texts;  ///< ids of new items: row = the bundle's item count + place here
    std::vector<uint64_t> new_integers;
    std::unordered_map<std::string, uint32_t> text_rows;
    std::unordered_map<uint64_t, uint32_t> integer_rows;

    bool empty() const {
        return removed.empty() && vectors.empty() && columns.empty() && new_texts.empty() && new_integers.empty();
    }
};

/// Applies msgpack `[{id, vectors?: {index: bin f32}, columns?: {"table.column": [numbers]}}]` on top of `current`.
/// @return the new snapshot; `count` receives how many items were written. INVALID_BODY, INVALID_ARGUMENT, SHAPE_MISMATCH:
/// nothing changed
Result<std::shared_ptr<const LiveItems>> upsert_items(const Bundle& bundle, const LiveItems& current,
                                                      std::span<const uint8_t> items, uint32_t& count);

/// Applies msgpack `[id, …]`. `count` receives how many were known and not yet removed.
Result<std::shared_ptr<const LiveItems>> remove_items(const Bundle& bundle, const LiveItems& current,
                                                      std::span<const uint8_t> ids, uint32_t& count);

}  // namespace rankd::pipeline
