// `rows` of `score` in its three forms: packed floats, maps by feature name, lists of numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "wire/finite.h"
#include "wire/scalar_decoder.h"

namespace rankd::wire {

template <WireValue V>
class RowsDecoder : protected ScalarDecoder<V> {
    using Base = ScalarDecoder<V>;

  protected:
    using Base::arena_, Base::decode_features, Base::decode_number, Base::fail, Base::fail_count, Base::fail_type, Base::limits_;
    using Base::Base;

    bool decode_rows(const V& value, const Where& where, Request& request) {
        if (value.type() == ValueType::kBinary) return take_packed(value.binary(), request);
        if (value.type() != ValueType::kList) return fail_type(where, "binary float32, a list of maps or a list of lists", value);
        if (value.size() == 0) return fail_empty();
        if (value.size() > limits_.max_rows) return fail_count(where, value.size(), limits_.max_rows);
        request.row_count = static_cast<uint32_t>(value.size());
        RowLists lists{ArenaVector<float>(arena_)};
        std::span<FeatureMap> maps;
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& row) {
            const Where at(where, count);
            const bool is_list = row.type() == ValueType::kList;
            if (!is_list && row.type() != ValueType::kMap) return fail_type(at, "a map of features or a list of numbers", row);
            if (count == 0 && !is_list) maps = arena_.template allocate<FeatureMap>(value.size());
            if (is_list != maps.empty()) return fail_type(at, is_list ? "a map like rows[0]" : "a list like rows[0]", row);
            const size_t index = count++;
            if (is_list) return take_list(row, at, index, value.size(), lists);
            return decode_features(row, at, index == 0 ? FeatureMap{} : maps[index - 1], maps[index]);
        });
        request.row_maps = maps;
        request.row_values = lists.values.span();
        request.row_width = static_cast<uint32_t>(lists.width);
        return read;
    }

  private:
    struct RowLists {
        ArenaVector<float> values;
        size_t width = 0;
    };

    bool fail_empty() { return fail(Code::INVALID_ARGUMENT, "\"rows\" is empty: score needs at least one row"); }

    bool take_packed(std::span<const uint8_t> bytes, Request& request) {
        if (bytes.empty()) return fail_empty();
        if (bytes.size() % sizeof(float) != 0) {
            return fail(Code::SHAPE_MISMATCH, "\"rows\" must be float32, a multiple of 4 bytes, got ", bytes.size());
        }
        const size_t bad = first_not_finite(bytes);
        if (bad < bytes.size() / sizeof(float)) {
            return fail(Code::NOT_FINITE, "\"rows\" must be finite: float ", bad, " (counted from 0) is NaN or infinite");
        }
        request.row_bytes = bytes;
        return true;
    }

    bool take_list(const V& row, const Where& where, size_t index, size_t row_count, RowLists& lists) {
        if (index == 0) {
            if (row.size() == 0) return fail(Code::SHAPE_MISMATCH, where.text(), " is empty: a row needs at least one number");
            if (row.size() > limits_.max_features) return fail_count(where, row.size(), limits_.max_features);
            lists.width = row.size();
            // A wide first row and a hostile count of rows promise nothing: beyond this the vector grows as numbers really come.
            constexpr size_t kReserved = 16 * 1024;
            lists.values = ArenaVector<float>(arena_, std::min(row_count * lists.width, kReserved));
        }
        if (row.size() != lists.width) {
            return fail(Code::SHAPE_MISMATCH, where.text(), " has ", row.size(), " numbers, rows[0] has ", lists.width);
        }
        size_t column = 0;
        return row.for_each_element([&](const V& number) {
            float decoded = 0;
            if (!decode_number(number, Where(where, column++), decoded)) return false;
            lists.values.push_back(decoded);
            return true;
        });
    }
};

}  // namespace rankd::wire
