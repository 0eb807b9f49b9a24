// Exact searches: every row is scored by a kernel, block by block, and a streaming selection keeps the best.
#include <algorithm>

#include "index/index_kinds.h"
#include "index/vector_math.h"
#include "kernels/kernels.h"
#include "kernels/top_k.h"

namespace rankd::index {
namespace {

constexpr uint32_t kBlockRows = 1024;  // scores of a block stay in the first cache between kernel and selection

/// Calls `scan(first_row, count, scores)` over all rows and selects the best. @return how many
template <typename Scan>
size_t select_best(uint32_t size, Scratch& scratch, std::span<Neighbor> out, Scan scan) {
    scratch.scores.resize(std::max<size_t>(scratch.scores.size(), kBlockRows));
    kernels::TopK<Neighbor> best(out);
    for (uint32_t first = 0; first < size;) {
        const uint32_t count = std::min(kBlockRows, size - first);
        scan(first, count, scratch.scores.data());
        best.push_block(first, {scratch.scores.data(), count});
        first += count;  // ends at `size`, at most 2^32 - 2: no overflow
    }
    return best.finish();
}

/// Runs `scan(rows, count, scores)` over the stretches of `rows` that exist; rows past the end score 0.
template <typename Scan>
void scan_existing(std::span<const uint32_t> rows, uint32_t size, std::span<float> out, Scan scan) {
    for (size_t i = 0; i < rows.size();) {
        if (rows[i] >= size) {
            out[i++] = 0;
            continue;
        }
        size_t end = i + 1;
        while (end < rows.size() && rows[end] < size) ++end;
        scan(rows.data() + i, end - i, out.data() + i);
        i = end;
    }
}

}  // namespace

// --- float32 ---

const float* F32Index::prepare(std::span<const float> query, Scratch& scratch) const {
    if (file_.metric == Metric::kDot) return query.data();
    scratch.query.resize(std::max(scratch.query.size(), query.size()));
    normalise(query, scratch.query.data());
    return scratch.query.data();
}

size_t F32Index::search_all(const float* query, Scratch& scratch, std::span<Neighbor> out) const {
    const kernels::Kernels& kernels = kernels::kernels();
    return select_best(file_.count, scratch, out, [&](uint32_t first, uint32_t count, float* scores) {
        kernels.scan_f32(query, file_.vectors + size_t{first} * file_.dim, file_.dim, nullptr, count, scores);
    });
}

void F32Index::score_rows(std::span<const float> query, std::span<const uint32_t> rows, Scratch& scratch,
                          std::span<float> out) const {
    const kernels::Kernels& kernels = kernels::kernels();
    const float* prepared = prepare(query, scratch);
    scan_existing(rows, file_.count, out, [&](const uint32_t* some, size_t count, float* scores) {
        kernels.scan_f32(prepared, file_.vectors, file_.dim, some, count, scores);
    });
}

void F32Index::vector(uint32_t row, std::span<float> out) const {
    std::copy_n(file_.vectors + size_t{row} * file_.dim, file_.dim, out.data());
}

size_t ExactF32Index::search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const {
    return search_all(prepare(query, scratch), scratch, out);
}

// --- int8 ---

float ExactI8Index::prepare(std::span<const float> query, Scratch& scratch) const {
    scratch.query_i8.resize(std::max(scratch.query_i8.size(), query.size()));
    if (file_.metric == Metric::kDot) return quantise(query, scratch.query_i8.data());
    scratch.query.resize(std::max(scratch.query.size(), query.size()));
    normalise(query, scratch.query.data());
    return quantise({scratch.query.data(), query.size()}, scratch.query_i8.data());
}

size_t ExactI8Index::search(std::span<const float> query, Scratch& scratch, std::span<Neighbor> out) const {
    const kernels::Kernels& kernels = kernels::kernels();
    const float query_scale = prepare(query, scratch);
    return select_best(file_.count, scratch, out, [&](uint32_t first, uint32_t count, float* scores) {
        kernels.scan_i8(scratch.query_i8.data(), query_scale, file_.vectors_i8 + size_t{first} * file_.dim, file_.scales + first,
                        file_.dim, nullptr, count, scores);
    });
}

void ExactI8Index::score_rows(std::span<const float> query, std::span<const uint32_t> rows, Scratch& scratch,
                              std::span<float> out) const {
    const kernels::Kernels& kernels = kernels::kernels();
    const float query_scale = prepare(query, scratch);
    scan_existing(rows, file_.count, out, [&](const uint32_t* some, size_t count, float* scores) {
        kernels.scan_i8(scratch.query_i8.data(), query_scale, file_.vectors_i8, file_.scales, file_.dim, some, count, scores);
    });
}

void ExactI8Index::vector(uint32_t row, std::span<float> out) const {
    kernels::kernels().widen_i8(file_.vectors_i8 + size_t{row} * file_.dim, file_.scales[row], out.data(), file_.dim);
}

}  // namespace rankd::index
