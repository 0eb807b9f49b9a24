#include "pipeline/classification.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/bytes_tensor.h"
#include "wire/tensor_writer.h"

namespace rankd::pipeline {
namespace {

/// As an element goes into text; 16-bit floats as the number they are.
template <typename T>
T number_of(T value) {
    return value;
}
struct Half {
    uint16_t bits;
};
struct Bfloat {
    uint16_t bits;
};
float number_of(Half half) {
    return wire::half_to_float(half.bits);
}
float number_of(Bfloat value) {
    return wire::bfloat_to_float(value.bits);
}

/// Calls `use` with the tensor's elements as numbers of their type.
template <typename T, typename Use>
void with_numbers(std::span<const uint8_t> data, Use&& use) {
    using Number = decltype(number_of(T{}));
    std::vector<Number> numbers;
    numbers.reserve(data.size() / sizeof(T));
    for (size_t at = 0; at < data.size(); at += sizeof(T)) {
        T element;
        std::memcpy(&element, data.data() + at, sizeof(T));
        numbers.push_back(number_of(element));
    }
    use(std::span<const Number>(numbers));
}

template <typename Use>
void with_numbers(const wire::NamedTensor& tensor, Use&& use) {
    switch (tensor.type) {
        case ElementType::kBool:
        case ElementType::kU8:
            return with_numbers<uint8_t>(tensor.data, use);
        case ElementType::kU16:
            return with_numbers<uint16_t>(tensor.data, use);
        case ElementType::kU32:
            return with_numbers<uint32_t>(tensor.data, use);
        case ElementType::kU64:
            return with_numbers<uint64_t>(tensor.data, use);
        case ElementType::kI8:
            return with_numbers<int8_t>(tensor.data, use);
        case ElementType::kI16:
            return with_numbers<int16_t>(tensor.data, use);
        case ElementType::kI32:
            return with_numbers<int32_t>(tensor.data, use);
        case ElementType::kI64:
            return with_numbers<int64_t>(tensor.data, use);
        case ElementType::kF16:
            return with_numbers<Half>(tensor.data, use);
        case ElementType::kBf16:
            return with_numbers<Bfloat>(tensor.data, use);
        case ElementType::kF32:
            return with_numbers<float>(tensor.data, use);
        case ElementType::kF64:
            return with_numbers<double>(tensor.data, use);
        case ElementType::kBytes:
        case ElementType::kOther:
            return;
    }
}

template <typename Number>
bool is_nan(Number number) {
    if constexpr (std::is_floating_point_v<Number>) return std::isnan(number);
    return false;
}

/// The places of the `count` highest numbers.
template <typename Number>
std::vector<uint32_t> highest(std::span<const Number> row, size_t count) {
    std::vector<uint32_t> places(row.size());
    std::iota(places.begin(), places.end(), 0u);
    const auto goes_before = [&](uint32_t a, uint32_t b) {
        if (is_nan(row[a]) || is_nan(row[b])) return is_nan(row[a]) == is_nan(row[b]) ? a < b : is_nan(row[b]);
        return row[a] != row[b] ? row[a] > row[b] : a < b;
    };
    std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count), places.end(), goes_before);
    places.resize(count);
    return places;
}

/// Numbers as `std::to_string` has them, six digits behind the point of a float: what servers of this protocol send.
template <typename Number>
void write_row(std::span<const Number> row, size_t count, std::span<const std::string> labels, std::string& out) {
    for (const uint32_t place : highest(row, count)) {
        std::string text = std::to_string(row[place]) + ":" + std::to_string(place);
        if (place < labels.size()) text += ":" + labels[place];
        const size_t at = out.size();
        out.resize(at + kElementLengthBytes + text.size());
        write_bytes_element(reinterpret_cast<uint8_t*>(out.data()) + at, text);
    }
}

}  // namespace

bool can_classify(ElementType type) {
    return type != ElementType::kBytes && type != ElementType::kOther;
}

wire::NamedTensor classify(const wire::NamedTensor& output, const Classes& classes, Arena& arena) {
    const bool has_rows = classes.has_rows && !output.shape.empty();
    const size_t rows = has_rows ? static_cast<size_t>(output.shape[0]) : 1;
    const size_t width = rows == 0 ? 0 : output.data.size() / element_bytes(output.type) / rows;
    const size_t count = std::min<size_t>(classes.count, width);
    std::string text;
    with_numbers(output, [&](auto numbers) {
        for (size_t row = 0; row < rows; ++row) write_row(numbers.subspan(row * width, width), count, classes.labels, text);
    });
    const std::string_view kept = arena.copy(text);
    const std::span<int64_t> shape = arena.allocate<int64_t>(has_rows ? 2 : 1);
    if (has_rows) shape[0] = static_cast<int64_t>(rows);
    shape.back() = static_cast<int64_t>(count);
    return {output.name, ElementType::kBytes, shape, {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()}};
}

}  // namespace rankd::pipeline
