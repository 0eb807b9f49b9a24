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

/// `better` as an object, which the standard heaps and sorts can inline.
struct Better {
    template <typename Entry>
    bool operator()(const Entry& a, const Entry& b) const {
        return better(a, b);
    }
};

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
            std::push_heap(storage_.begin(), storage_.begin() + size_, Better{});
        } else if (size_ > 0 && better(entry, storage_[0])) {
            replace_worst(entry);
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
        std::sort(storage_.begin(), storage_.begin() + size_, Better{});
        return size_;
    }

  private:
    /// One way down from the root, where std::pop_heap and std::push_heap would go down and up again.
    void replace_worst(const Entry& entry) {
        size_t hole = 0;
        for (size_t child = 1; child < size_; child = 2 * hole + 1) {
            if (child + 1 < size_ && better(storage_[child], storage_[child + 1])) ++child;
            if (!better(entry, storage_[child])) break;
            storage_[hole] = storage_[child];
            hole = child;
        }
        storage_[hole] = entry;
    }

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
