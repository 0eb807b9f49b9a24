// Reads through the live changes to the bundle's tables; without changes each call is the table's own.
#include "pipeline/catalogue.h"

#include <algorithm>
#include <cmath>

namespace rankd::pipeline {
namespace {

float dot(std::span<const float> a, std::span<const float> b) {
    float sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// Live vectors of a cosine index are unit length like the stored ones, so only the query's length is left to divide by.
float query_scale(const index::Index& index, std::span<const float> query) {
    if (index.metric() != index::Metric::kCosine) return 1.0f;
    const float norm = std::sqrt(dot(query, query));
    return norm > 0 ? 1.0f / norm : 0.0f;
}

bool better(const index::Neighbor& a, const index::Neighbor& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
}

}  // namespace

const LiveItems::Vectors* Catalogue::live_vectors(const index::Index& index) const {
    if (!is_live_) return nullptr;
    const auto found = live_.vectors.find(&index);
    return found == live_.vectors.end() ? nullptr : &found->second;
}

const LiveItems::Vectors* Catalogue::live_values(const store::Column& column) const {
    if (!is_live_) return nullptr;
    const auto found = live_.columns.find(&column);
    return found == live_.columns.end() ? nullptr : &found->second;
}

bool Catalogue::is_live(const store::Column& column, uint32_t row) const {
    const LiveItems::Vectors* live = live_values(column);
    return live != nullptr && live->contains(row);
}

uint32_t Catalogue::row_count() const {
    return bundle_.item_count() + static_cast<uint32_t>(live_.new_texts.size() + live_.new_integers.size());
}

uint32_t Catalogue::row_of(const wire::Id& id) const {
    const store::IdMap& ids = *bundle_.item_ids();
    uint32_t row = store::kNoRow;
    if (id.kind == wire::Id::Kind::kText) {
        row = ids.find(id.text);
        if (row == store::kNoRow && !live_.text_rows.empty())
            if (const auto found = live_.text_rows.find(std::string(id.text)); found != live_.text_rows.end())
                row = found->second;
    } else if (id.kind == wire::Id::Kind::kInteger) {
        row = ids.find(id.integer);
        if (row == store::kNoRow && !live_.integer_rows.empty())
            if (const auto found = live_.integer_rows.find(id.integer); found != live_.integer_rows.end()) row = found->second;
    }
    return row != store::kNoRow && is_removed(row) ? store::kNoRow : row;
}

void Catalogue::rows_of(std::span<const wire::Id> ids, Arena& arena, std::span<uint32_t> rows) const {
    const store::IdMap& map = *bundle_.item_ids();
    if (is_live_) {
        std::transform(ids.begin(), ids.end(), rows.begin(), [&](const wire::Id& id) { return row_of(id); });
    } else if (map.key_kind() == store::KeyKind::kText) {
        // An id of the other kind becomes the empty text, which no map holds.
        const auto keys = arena.allocate<std::string_view>(ids.size());
        std::transform(ids.begin(), ids.end(), keys.begin(), [](const wire::Id& id) { return id.text; });
        map.find_many(keys, rows);
    } else {
        const auto keys = arena.allocate<uint64_t>(ids.size());
        std::transform(ids.begin(), ids.end(), keys.begin(), [](const wire::Id& id) { return id.integer; });
        map.find_many(keys, rows);
        for (size_t i = 0; i < ids.size(); ++i)
            if (ids[i].kind != wire::Id::Kind::kInteger) rows[i] = store::kNoRow;
    }
}

wire::Id Catalogue::id_of(uint32_t row) const {
    const store::IdMap& ids = *bundle_.item_ids();
    const bool is_text = ids.key_kind() == store::KeyKind::kText;
    if (row < ids.size()) return is_text ? wire::Id::of(ids.text_at(row)) : wire::Id::of(ids.integer_at(row));
    const uint32_t place = row - ids.size();
    return is_text ? wire::Id::of(live_.new_texts[place]) : wire::Id::of(live_.new_integers[place]);
}

void Catalogue::gather(const store::Column& column, std::span<const uint32_t> rows, float* out) const {
    column.gather(rows, out, column.width());
    const LiveItems::Vectors* live = live_values(column);
    if (live == nullptr) return;
    for (size_t i = 0; i < rows.size(); ++i)
        if (const auto found = live->find(rows[i]); found != live->end())
            std::copy(found->second.begin(), found->second.end(), out + i * column.width());
}

void Catalogue::pool(const store::Column& column, std::span<const uint32_t> rows, store::Column::Pool how, float* out) const {
    const LiveItems::Vectors* live = live_values(column);
    if (live == nullptr) {
        column.pool(rows, how, out);
        return;
    }
    std::vector<uint32_t> stored;
    std::vector<float> sum(column.width(), 0.0f);
    size_t count = 0;
    for (uint32_t row : rows) {
        const auto found = live->find(row);
        if (found == live->end()) {
            stored.push_back(row);
            continue;
        }
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += found->second[i];
        ++count;
    }
    count += column.pool(stored, store::Column::Pool::kSum, out);
    const float scale = how == store::Column::Pool::kMean && count > 0 ? 1.0f / static_cast<float>(count) : 1.0f;
    for (size_t i = 0; i < sum.size(); ++i) out[i] = (out[i] + sum[i]) * scale;
}

bool Catalogue::code(const store::Column& column, uint32_t row, uint32_t& out) const {
    if (const LiveItems::Vectors* live = live_values(column)) {
        if (const auto found = live->find(row); found != live->end()) {
            out = static_cast<uint32_t>(found->second[0]);
            return true;
        }
    }
    const auto value = column.u32_row(row);
    if (value.empty()) return false;
    out = value[0];
    return true;
}

size_t Catalogue::search(const index::Index& index, std::span<const float> query, index::Scratch& scratch,
                         std::span<index::Neighbor> out) const {
    if (!is_live_) return index.search(query, scratch, out);
    // Removed and replaced rows may fill places, so as many more are asked for.
    const LiveItems::Vectors* live = live_vectors(index);
    std::vector<index::Neighbor> found(
        std::min<size_t>(index.size(), out.size() + live_.removed.size() + (live ? live->size() : 0)));
    found.resize(index.search(query, scratch, found));
    std::erase_if(found,
                  [&](const index::Neighbor& n) { return live_.removed.contains(n.row) || (live && live->contains(n.row)); });
    if (live != nullptr) {
        const float scale = query_scale(index, query);
        for (const auto& [row, vector] : *live)
            if (!live_.removed.contains(row)) found.push_back({row, dot(query, vector) * scale});
    }
    const size_t count = std::min(out.size(), found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(count), found.end(), better);
    std::copy_n(found.begin(), count, out.begin());
    return count;
}

void Catalogue::score_rows(const index::Index& index, std::span<const float> query, std::span<const uint32_t> rows,
                           index::Scratch& scratch, std::span<float> out) const {
    index.score_rows(query, rows, scratch, out);
    const LiveItems::Vectors* live = live_vectors(index);
    if (live == nullptr) return;
    const float scale = query_scale(index, query);
    for (size_t i = 0; i < rows.size(); ++i)
        if (const auto found = live->find(rows[i]); found != live->end()) out[i] = dot(query, found->second) * scale;
}

bool Catalogue::vector(const index::Index& index, uint32_t row, std::span<float> out) const {
    if (const LiveItems::Vectors* live = live_vectors(index)) {
        if (const auto found = live->find(row); found != live->end()) {
            std::copy(found->second.begin(), found->second.end(), out.begin());
            return true;
        }
    }
    if (row >= index.size()) return false;
    index.vector(row, out);
    return true;
}

}  // namespace rankd::pipeline
