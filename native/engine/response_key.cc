#include "engine/response_key.h"

#include <algorithm>

#include "base/sha256.h"

namespace rankd::engine {
namespace {

using wire::NamedTensor;

/// Everything of variable length goes behind its length, so that no two requests are written alike.
class KeyWriter {
  public:
    void number(uint64_t value) { hash_.update({reinterpret_cast<const uint8_t*>(&value), sizeof(value)}); }
    void bytes(std::span<const uint8_t> bytes) {
        number(bytes.size());
        hash_.update(bytes);
    }
    void text(std::string_view text) { bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }
    void tensor(const NamedTensor& tensor) {
        text(tensor.name);
        number(static_cast<uint64_t>(tensor.type));
        number(tensor.shape.size());
        for (const int64_t dimension : tensor.shape) number(static_cast<uint64_t>(dimension));
        bytes(tensor.data);
    }
    Sha256Digest finish() { return hash_.finish(); }

  private:
    Sha256 hash_;
};

std::span<const NamedTensor*> by_name(std::span<const NamedTensor> tensors, Arena& arena) {
    const auto sorted = arena.allocate<const NamedTensor*>(tensors.size());
    std::transform(tensors.begin(), tensors.end(), sorted.begin(), [](const NamedTensor& tensor) { return &tensor; });
    std::sort(sorted.begin(), sorted.end(), [](const auto* one, const auto* other) { return one->name < other->name; });
    return sorted;
}

}  // namespace

ResponseKey response_key(uint64_t generation, const wire::Request& request, Arena& arena) {
    KeyWriter key;
    key.number(request.parameters);
    key.number(request.has_raw_input);
    key.bytes(request.raw_input);
    key.number(request.outputs.size());
    for (const wire::WantedOutput& output : request.outputs) {
        key.text(output.name);
        key.number(output.classes);
    }
    for (const NamedTensor* tensor : by_name(request.inputs, arena)) key.tensor(*tensor);
    const Sha256Digest digest = key.finish();
    ResponseKey made{generation, {}};
    std::memcpy(made.digest.data(), digest.data(), sizeof(made.digest));
    return made;
}

}  // namespace rankd::engine
