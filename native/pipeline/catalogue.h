// The items as a request sees them: the bundle's tables with the live changes on top.
#pragma once

#include <span>

#include "base/arena.h"
#include "index/index.h"
#include "pipeline/bundle.h"
#include "pipeline/live_items.h"
#include "wire/id.h"

namespace rankd::pipeline {

/// A view for the length of one batch; bundle and snapshot outlive it.
class Catalogue {
  public:
    Catalogue(const Bundle& bundle, const LiveItems& live) : bundle_(bundle), live_(live), is_live_(!live.empty()) {}

    /// Row of an item id, or store::kNoRow when it is unknown or removed.
    uint32_t row_of(const wire::Id& id) const;
    /// The same for many, with the hash slots prefetched. `rows` has one place per id.
    void rows_of(std::span<const wire::Id> ids, Arena& arena, std::span<uint32_t> rows) const;
    wire::Id id_of(uint32_t row) const;

    uint32_t row_count() const;
    bool is_removed(uint32_t row) const { return is_live_ && live_.removed.contains(row); }

    bool has_live_values() const { return is_live_ && !live_.columns.empty(); }
    /// Whether a live change gives this row another value in the column than the table has.
    bool is_live(const store::Column& column, uint32_t row) const;
    /// Rows of a column as float32 into `out` [rows, width].
    void gather(const store::Column& column, std::span<const uint32_t> rows, float* out) const;
    void pool(const store::Column& column, std::span<const uint32_t> rows, store::Column::Pool how, float* out) const;
    /// The code of an item in a u32 column of width 1; false when the item has none.
    bool code(const store::Column& column, uint32_t row, uint32_t& out) const;

    /// Best rows of an index for a query, removed items left out, live vectors searched exactly. @return how many
    size_t search(const index::Index& index, std::span<const float> query, index::Scratch& scratch,
                  std::span<index::Neighbor> out) const;
    void score_rows(const index::Index& index, std::span<const float> query, std::span<const uint32_t> rows,
                    index::Scratch& scratch, std::span<float> out) const;
    /// The stored vector of an item; false when this index has none.
    bool vector(const index::Index& index, uint32_t row, std::span<float> out) const;

  private:
    const LiveItems::Vectors* live_vectors(const index::Index& index) const;
    const LiveItems::Vectors* live_values(const store::Column& column) const;

    const Bundle& bundle_;
    const LiveItems& live_;
    const bool is_live_;
};

}  // namespace rankd::pipeline
