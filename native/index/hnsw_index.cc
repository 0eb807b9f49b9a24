// Searches an HNSW graph where it lies in the mapped file; the names follow Malkov & Yashunin 2018, algorithms 2 and 5.
#include <algorithm>

#include "index/index_kinds.h"
#include "kernels/kernels.h"
#include "kernels/top_k.h"

namespace rankd::index {
namespace {

using kernels::better;

/// Heap order that keeps the best candidate in front.
constexpr auto kWorse = [](const Neighbor& a, const Neighbor& b) { return better(b, a); };

/// Starts a search: all marks of earlier ones become stale. They are cleared only when the counter has gone round.
void begin_visits(Scratch& scratch, size_t size) {
    if (scratch.visited.size() < size) scratch.visited.resize(size, 0);
    if (++scratch.visit == 0) {
        std::fill(scratch.visited.begin(), scratch.visited.end(), uint16_t{0});
        scratch.visit = 1;
    }
}

}  // namespace

Result<std::unique_ptr<Index>> HnswIndex::create(IndexFile file) {
    std::unique_ptr<HnswIndex> index(new HnswIndex(std::move(file)));
    RANKD_RETURN_IF_ERROR(index->check_graph());
    return std::unique_ptr<Index>(std::move(index));
}

Status HnswIndex::check_graph() {
    const BinaryReader& reader = file_.reader;
    const uint32_t count = file_.count;
    if (file_.m < layout::kMinM || file_.m > layout::kMaxM || file_.ef_search < 1 || file_.ef_search > layout::kMaxEf) {
        return reader.invalid("has m " + std::to_string(file_.m) + " and ef_search " + std::to_string(file_.ef_search) +
                              ", expected " + std::to_string(layout::kMinM) + " to " + std::to_string(layout::kMaxM) +
                              " and 1 to " + std::to_string(layout::kMaxEf));
    }
    const uint64_t links_offset = layout::links_offset(count);
    if (file_.graph_bytes < links_offset || file_.graph_bytes % sizeof(uint32_t) != 0 ||
        file_.graph_bytes / sizeof(uint32_t) > 0xFFFFFFFFu) {
        return reader.invalid("graph has " + std::to_string(file_.graph_bytes) + " bytes, expected at least " +
                              std::to_string(links_offset) + ", whole words and at most 16 GiB");
    }
    const auto* words = reinterpret_cast<const uint32_t*>(file_.graph);
    entry_row_ = words[0];
    max_level_ = words[1];
    levels_ = file_.graph + 2 * sizeof(uint32_t);
    lists_ = words + links_offset / sizeof(uint32_t);
    if (entry_row_ >= count || levels_[entry_row_] != max_level_ || *std::max_element(levels_, levels_ + count) != max_level_) {
        return reader.invalid("graph: entry row " + std::to_string(entry_row_) + " of " + std::to_string(count) +
                              " must be on the top level, " + std::to_string(max_level_));
    }

    const uint64_t list_words = (file_.graph_bytes - links_offset) / sizeof(uint32_t);
    list_offsets_.reserve(count);
    uint64_t at = 0;
    for (uint32_t row = 0; row < count; ++row) {
        list_offsets_.push_back(static_cast<uint32_t>(at));
        for (uint32_t level = 0; level <= levels_[row]; ++level) {
            const std::string subject = "graph: row " + std::to_string(row) + ", level " + std::to_string(level) + ": ";
            const uint32_t link_count = at < list_words ? lists_[at] : 0;
            if (at >= list_words || link_count > layout::max_links(file_.m, level) || link_count >= list_words - at) {
                return reader.invalid(subject + std::to_string(link_count) + " links, expected at most " +
                                      std::to_string(layout::max_links(file_.m, level)) + " within the graph");
            }
            for (uint32_t i = 0; i < link_count; ++i) {
                const uint32_t link = lists_[at + 1 + i];
                if (link >= count || levels_[link] < level) {
                    return reader.invalid(subject + "a link to row " + std::to_string(link) + ", which is not on this level");
                }
            }
            at += 1 + link_count;
        }
    }
    if (at != list_words) {
        return reader.invalid("graph: " + std::to_string(list_words - at) + " words behind the last list");
    }
    return Status::ok();
}

std::span<const uint32_t> HnswIndex::links(uint32_t row, uint32_t level) const {
    const uint32_t* list = lists_ + list_offsets_[row];
    for (; level > 0; --level) list += 1 + *list;
    return {list + 1, *list};
}

Neighbor HnswIndex::descend(const float* query, Scratch& scratch) const {
    const kernels::Kernels& kernels = kernels::kernels();
    Neighbor nearest;
    nearest.row = entry_row_;
    nearest.score = kernels.dot_f32(query, file_.vectors + size_t{entry_row_} * file_.dim, file_.dim);
    for (uint32_t level = max_level_; level > 0; --level) {
        for (bool moved = true; moved;) {
            moved = false;
            const std::span<const uint32_t> neighbors = links(nearest.row, level);
            kernels.scan_f32(query, file_.vectors, file_.dim, neighbors.data(), neighbors.size(), scratch.scores.data());
            for (size_t i = 0; i < neighbors.size(); ++i) {
                // Strictly higher scores only: an endless walk among ties or NaN cannot happen.
                if (!(scratch.scores[i] > nearest.score)) continue;
                nearest = {neighbors[i], scratch.scores[i]};
                moved = true;
            }
        }
    }
    return nearest;
}

size_t HnswIndex::search_layer(const float* query, Neighbor entry, size_t ef, Scratch& scratch) const {
    const kernels::Kernels& kernels = kernels::kernels();
    begin_visits(scratch, file_.count);
    std::vector<Neighbor>& candidates = scratch.candidates;
    candidates.assign(1, entry);
    kernels::TopK<Neighbor> found({scratch.heap.data(), ef});
    found.push(entry.row, entry.score);
    scratch.visited[entry.row] = scratch.visit;

    while (!candidates.empty()) {
        std::pop_heap(candidates.begin(), candidates.end(), kWorse);
        const Neighbor nearest = candidates.back();
        candidates.pop_back();
        if (found.full() && better(found.worst(), nearest)) break;

        scratch.rows.clear();
        for (const uint32_t row : links(nearest.row, 0)) {
            if (scratch.visited[row] == scratch.visit) continue;
            scratch.visited[row] = scratch.visit;
            scratch.rows.push_back(row);
        }
        kernels.scan_f32(query, file_.vectors, file_.dim, scratch.rows.data(), scratch.rows.size(), scratch.scores.data());
        for (size_t i = 0; i < scratch.rows.size(); ++i) {
            const Neighbor neighbor = {scratch.rows[i], scratch.scores[i]};
            if (found.full() && !better(neighbor, found.worst())) continue;
            candidates.push_back(neighbor);
            std::push_heap(candidates.begin(), candidates.end(), kWorse);
            found.push(neighbor.row, neighbor.score);
        }
    }
    return found.finish();
}

size_t HnswIndex::search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const {
    const float* prepared = prepare(query, scratch);
    const size_t k = std::min<size_t>(out.size(), file_.count);
    const size_t ef = std::max<size_t>(file_.ef_search, k);
    // So many candidates would visit every row: the scan does that faster, and completely.
    if (ef >= file_.count) return search_all(prepared, scratch, out.first(k));

    scratch.scores.resize(std::max<size_t>(scratch.scores.size(), layout::max_links(file_.m, 0)));
    scratch.heap.resize(std::max(scratch.heap.size(), ef));
    const size_t found = search_layer(prepared, descend(prepared, scratch), ef, scratch);
    std::copy_n(scratch.heap.begin(), std::min(found, k), out.begin());
    return std::min(found, k);
}

}  // namespace rankd::index
