#include "engine/cached_response.h"

#include <cstring>
#include <new>

namespace rankd::engine {
namespace {

using wire::NamedTensor;

size_t bytes_for(std::span<const NamedTensor> outputs) {
    size_t bytes = outputs.size_bytes();
    for (const NamedTensor& output : outputs) bytes += output.shape.size_bytes() + output.name.size() + output.data.size();
    return bytes;
}

/// Copies to the place where the last copy ended.
class Packer {
  public:
    explicit Packer(std::byte* at) : at_(at) {}

    template <typename T>
    std::span<const T> copy(const T* from, size_t count) {
        auto* const to = reinterpret_cast<T*>(at_);
        if (count > 0) std::memcpy(at_, from, count * sizeof(T));
        at_ += count * sizeof(T);
        return {to, count};
    }

  private:
    std::byte* at_;
};

}  // namespace

CachedResponse::CachedResponse(std::span<const NamedTensor> outputs)
    : bytes_(bytes_for(outputs)), memory_(new std::byte[bytes_]) {
    auto* const tensors = reinterpret_cast<NamedTensor*>(memory_.get());
    Packer packer(memory_.get() + outputs.size_bytes());
    for (size_t i = 0; i < outputs.size(); ++i) {
        NamedTensor* const tensor = new (tensors + i) NamedTensor(outputs[i]);
        tensor->shape = packer.copy(outputs[i].shape.data(), outputs[i].shape.size());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
        const auto name = packer.copy(outputs[i].name.data(), outputs[i].name.size());
        tensors[i].name = {name.data(), name.size()};
        tensors[i].data = packer.copy(outputs[i].data.data(), outputs[i].data.size());
    }
    outputs_ = {tensors, outputs.size()};
}

}  // namespace rankd::engine
