// Streaming selection of the k best scored rows; the same order everywhere: higher score first, ties by lower row, NaN last.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rankd::kernels {

/// Whether `a` stands before `b`: a strict weak order even with NaN, which is worse than any number.
template <typename Entry>
bool better(const Entry& a, const Entry& b) {
    if (a.score > b.score) return true;
    if (a.score < b.score) return false;
    const bool a_is_nan = a.score != a.score, b_is_nan = b.score != b.score;
    if (a_is_nan != b_is_nan) return b_is_nan;
    return a.row < b.row;
}

/// Keeps the best entries in the caller's memory, as a heap whose root is the worst of them. `Entry` has `row` and `score`.
template <typename Entry>
class TopK {
  public:
    explicit TopK(std::span<Entry> storage) : storage_(storage) {}

    void push(uint32_t row, float score) {
        Entry entry;
        entry.row = row;
        entry.score = score;
        if (!full()) {
            storage_[size_++] = entry;
            std::push_heap(storage_.begin(), storage_.begin() + size_, better<Entry>);
        } else if (size_ > 0 && better(entry, storage_[0])) {
            std::pop_heap(storage_.begin(), storage_.begin() + size_, better<Entry>);
            storage_[size_ - 1] = entry;
            std::push_heap(storage_.begin(), storage_.begin() + size_, better<Entry>);
        }
    }

    bool full() const { return size_ == storage_.size(); }
    /// The entry that the next better one replaces; there is one as soon as something was pushed.
    const Entry& worst() const { return storage_[0]; }

    /// Pushes rows `first_row`, `first_row` + 1, … In a long scan nearly all rows lose, so they are turned away sixteen at a
    /// time.
    void push_block(uint32_t first_row, std::span<const float> scores) {
        size_t i = 0;
        while (i < scores.size()) {
            const size_t end = std::min(i + 16, scores.size());
            if (full() && none_reaches(scores.subspan(i, end - i))) {
                i = end;
                continue;
            }
            for (; i < end; ++i) push(first_row + static_cast<uint32_t>(i), scores[i]);
        }
    }

    /// Sorts what was kept, best first. @return how many that is; the selection is over
    size_t finish() {
        std::sort(storage_.begin(), storage_.begin() + size_, better<Entry>);
        return size_;
    }

  private:
    bool none_reaches(std::span<const float> scores) const {
        if (size_ == 0) return true;
        const float worst = storage_[0].score;
        int reached = 0;
        for (const float score : scores) reached |= !(score < worst);  // true for NaN on either side: `push` decides
        return reached == 0;
    }

    std::span<Entry> storage_;
    size_t size_ = 0;
};

}  // namespace rankd::kernels
