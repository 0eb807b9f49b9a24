#include "pipeline/made_up_rows.h"

#include <cmath>
#include <cstring>

namespace rankd::pipeline {
namespace {

/// Exact for the multiples of 1/1024 below 1 that are made up here.
uint16_t half_of(float value) {
    if (value == 0) return 0;
    int exponent = 0;
    const float fraction = std::frexp(std::abs(value), &exponent);
    const auto bits = static_cast<uint16_t>(((exponent + 14) << 10) + static_cast<int>(std::lround((fraction * 2 - 1) * 1024)));
    return value < 0 ? static_cast<uint16_t>(bits | 0x8000) : bits;
}

uint16_t bfloat_of(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return static_cast<uint16_t>(bits >> 16);
}

/// Whole dimensions, the batch's as it is.
std::vector<int64_t> sized(const session::TensorInfo& info, const Recipe& recipe) {
    std::vector<int64_t> shape = info.shape;
    for (int64_t& dimension : shape)
        if (dimension < 0) dimension = recipe.free_size;
    return shape;
}

}  // namespace

size_t MadeUpRows::elements(const session::TensorInfo& info, const Recipe& recipe) {
    const std::vector<int64_t> shape = sized(info, recipe);
    double elements = 1;
    for (size_t i = 1; i < shape.size(); ++i) elements *= static_cast<double>(shape[i]);
    return static_cast<size_t>(std::min(elements, 1e18));
}

MadeUpRows::MadeUpRows(const session::TensorInfo& info, const Recipe& recipe, uint32_t input)
    : type_(info.type), shape_(sized(info, recipe)), random_(recipe.seed + 1000 * input) {
    const size_t width = elements(info, recipe);
    for (uint32_t row = 0; row < kMadeUpRows; ++row) {
        begins_[row] = data_.size();
        for (uint32_t i = 0; i < width; ++i) append(row + i + input, recipe.integers);
    }
    begins_.back() = data_.size();
}

session::AnyTensor MadeUpRows::rows(int64_t begin, int64_t end) {
    shape_[0] = end - begin;
    const auto at = [&](int64_t row) { return data_.begin() + static_cast<std::ptrdiff_t>(begins_[static_cast<size_t>(row)]); };
    // A copy, so that it is aligned; and with an address, also when it is empty.
    part_.reserve(1);
    part_.assign(at(begin), at(end));
    return {{part_.data(), part_.size()}, type_, shape_};
}

template <typename T>
void MadeUpRows::put(T value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    data_.insert(data_.end(), bytes, bytes + sizeof(T));
}

void MadeUpRows::append(uint32_t place, uint32_t integers) {
    const uint32_t integer = place % integers;
    const float number = static_cast<float>(static_cast<int>(random_() % 2047) - 1023) / 1024;
    switch (type_) {
        case ElementType::kBool:
            return put(static_cast<uint8_t>(integer % 2));
        case ElementType::kU8:
        case ElementType::kI8:
            return put(static_cast<uint8_t>(integer));
        case ElementType::kU16:
        case ElementType::kI16:
            return put(static_cast<uint16_t>(integer));
        case ElementType::kU32:
        case ElementType::kI32:
            return put(integer);
        case ElementType::kU64:
        case ElementType::kI64:
            return put(static_cast<uint64_t>(integer));
        case ElementType::kF16:
            return put(half_of(number));
        case ElementType::kBf16:
            return put(bfloat_of(number));
        case ElementType::kF32:
            return put(number);
        case ElementType::kF64:
            return put(static_cast<double>(number));
        case ElementType::kBytes:
            put(uint32_t{1});
            return put(static_cast<uint8_t>('0' + integer));
        case ElementType::kOther:
            return;
    }
}

}  // namespace rankd::pipeline
