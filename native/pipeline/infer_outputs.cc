#include "pipeline/infer_outputs.h"

#include <algorithm>

#include "base/bytes_tensor.h"

namespace rankd::pipeline {
namespace {

size_t elements_per_row(std::span<const int64_t> shape) {
    size_t count = 1;
    for (const int64_t dimension : shape.subspan(1)) count *= static_cast<size_t>(dimension);
    return count;
}

}  // namespace

Status SplitOutput::check_rows(int64_t rows) const {
    if (!tensor_.shape.empty() && tensor_.shape[0] == rows) return Status::ok();
    return {Code::MODEL_FAILED, "output '" + output_.name() + "' has shape " + shape_text(tensor_.shape) + " in a run of " +
                                    std::to_string(rows) + " rows"};
}

wire::NamedTensor SplitOutput::named(std::span<const int64_t> shape, std::span<const uint8_t> data) const {
    if (output_.reshape) shape = translated(shape, *output_.reshape, output_.shape, arena_);
    return {output_.name(), tensor_.type, shape, data};
}

wire::NamedTensor SplitOutput::whole() const {
    return named(tensor_.shape, tensor_.data);
}

std::span<const uint8_t> SplitOutput::take(int64_t rows) {
    const size_t count = static_cast<size_t>(rows) * elements_per_row(tensor_.shape);
    if (tensor_.type == ElementType::kBytes) return take_bytes_elements(rest_, count);
    const std::span<const uint8_t> mine = rest_.first(count * element_bytes(tensor_.type));
    rest_ = rest_.subspan(mine.size());
    return mine;
}

wire::NamedTensor SplitOutput::next(int64_t rows) {
    const std::span<int64_t> shape = arena_.allocate<int64_t>(tensor_.shape.size());
    std::copy(tensor_.shape.begin(), tensor_.shape.end(), shape.begin());
    shape[0] = rows;
    return named(shape, take(rows));
}

}  // namespace rankd::pipeline
