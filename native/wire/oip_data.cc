#include "wire/oip_data.h"

#include <cmath>
#include <cstring>

#include "wire/bytes_tensor.h"
#include "wire/describe.h"
#include "wire/tensor_elements.h"

namespace rankd::wire {
namespace {

using simdjson::dom::element;

enum class Walk : uint8_t { kDone, kTooDeep, kStopped };

/// Calls `visit(element)` for everything in a list and the lists inside it that is no list, until it returns false.
template <typename Visit>
Walk walk(const simdjson::dom::array& list, uint32_t depth, Visit& visit) {
    if (depth > kMaxDataDepth) return Walk::kTooDeep;
    for (const element child : list) {
        simdjson::dom::array inner;
        if (child.get(inner) == simdjson::SUCCESS) {
            const Walk walked = walk(inner, depth + 1, visit);
            if (walked != Walk::kDone) return walked;
        } else if (!visit(child)) {
            return Walk::kStopped;
        }
    }
    return Walk::kDone;
}

/// One tensor's data while it is packed.
class Packer {
  public:
    Packer(const OipDocument& document, const simdjson::dom::array& list, uint64_t count, Arena& arena, NamedTensor& tensor)
        : has_words_(document.has_words), list_(list), count_(count), arena_(arena), tensor_(tensor) {}

    template <typename T>
    Status pack() {
        const auto packed = arena_.allocate<uint8_t>(count_ * sizeof(T));
        tensor_.data = packed;
        uint64_t at = 0;
        const auto visit = [&](const element& child) {
            T value{};
            if (at == count_ || !read(child, value)) return false;
            std::memcpy(packed.data() + at++ * sizeof(T), &value, sizeof(T));
            return true;
        };
        return walk_all(visit, at);
    }

    Status pack_texts() {
        uint64_t at = 0;
        size_t bytes = 0;
        std::string_view text;
        const auto measure = [&](const element& child) {
            if (at == count_ || child.get(text) != simdjson::SUCCESS) return false;
            bytes += kElementLengthBytes + text.size();
            ++at;
            return true;
        };
        RANKD_RETURN_IF_ERROR(walk_all(measure, at));
        const auto packed = arena_.allocate<uint8_t>(bytes);
        tensor_.data = packed;
        uint8_t* end = packed.data();
        const auto write = [&](const element& child) {
            end = write_bytes_element(end, child.get_string().value_unsafe());
            return true;
        };
        return walk_all(write, at);
    }

    Status mismatch() const {
        return {Code::INVALID_SHAPE, concat("Failed to parse 'data' field: shape does not match true shape of 'data' of input '",
                                            tensor_.name, "': expected ", count_, " elements")};
    }

  private:
    /// @param at  elements visited so far; `visit` counts
    template <typename Visit>
    Status walk_all(Visit visit, const uint64_t& at) {
        element stopped_at;
        auto remembering = [&](const element& child) {
            if (visit(child)) [[likely]]
                return true;
            stopped_at = child;
            return false;
        };
        switch (walk(list_, 1, remembering)) {
            case Walk::kTooDeep:
                return {Code::LIMIT_EXCEEDED, concat("Unable to parse 'data' of input '", tensor_.name,
                                                     "': lists are nested more than ", kMaxDataDepth, " deep")};
            case Walk::kStopped:
                return at == count_ ? mismatch() : does_not_fit(stopped_at, at);
            case Walk::kDone:
                break;
        }
        return at == count_ ? Status::ok() : mismatch();
    }

    Status does_not_fit(const element& child, uint64_t at) const {
        double word = 0;
        return {Code::INVALID_ARGUMENT,
                concat("Unable to parse 'data' of input '", tensor_.name, "': element ", at, " (counted from 0) must be ",
                       tensor_.type == ElementType::kBytes  ? "text"
                       : tensor_.type == ElementType::kBool ? "true or false"
                                                            : concat("a number of ", datatype_name(tensor_.type)),
                       ", got ", has_words_ && word_of(child, word) ? describe_number(word) : describe(JsonValue(child)))};
    }

    bool read(const element& child, bool& out) const { return child.get(out) == simdjson::SUCCESS; }

    template <std::integral T>
    bool read(const element& child, T& out) const {
        int64_t value = 0;
        if (child.get(value) != simdjson::SUCCESS)
            return is_number(JsonValue(child)) && convert(TensorElement::of(JsonValue(child)), out);
        out = static_cast<T>(value);
        return std::in_range<T>(value);
    }

    template <std::floating_point T>
    bool read(const element& child, T& out) const {
        double value = 0;
        if (child.get(value) == simdjson::SUCCESS) {
            out = static_cast<T>(value);
            return std::isfinite(out);
        }
        if (!has_words_ || !word_of(child, value)) return false;
        out = static_cast<T>(value);
        return true;
    }

    bool has_words_;
    simdjson::dom::array list_;
    uint64_t count_;
    Arena& arena_;
    NamedTensor& tensor_;
};

Status not_in_json(const NamedTensor& tensor) {
    return {Code::INVALID_ARGUMENT,
            concat("receiving ", datatype_name(tensor.type),
                   " data via JSON is not supported. Please use the binary data format for input ", tensor.name)};
}

}  // namespace

Status pack_json_data(const OipDocument& document, const element& data, uint64_t count, Arena& arena, NamedTensor& tensor) {
    simdjson::dom::array list;
    if (data.get(list) != simdjson::SUCCESS)
        return {Code::INVALID_ARGUMENT,
                concat("Unable to parse 'data' of input '", tensor.name, "': must be a list, got ", describe(JsonValue(data)))};
    Packer packer(document, list, count, arena, tensor);
    if (count > document.bytes) return packer.mismatch();  // promises more than there can be
    switch (tensor.type) {
        case ElementType::kBool:
            return packer.pack<bool>();
        case ElementType::kU8:
            return packer.pack<uint8_t>();
        case ElementType::kU16:
            return packer.pack<uint16_t>();
        case ElementType::kU32:
            return packer.pack<uint32_t>();
        case ElementType::kU64:
            return packer.pack<uint64_t>();
        case ElementType::kI8:
            return packer.pack<int8_t>();
        case ElementType::kI16:
            return packer.pack<int16_t>();
        case ElementType::kI32:
            return packer.pack<int32_t>();
        case ElementType::kI64:
            return packer.pack<int64_t>();
        case ElementType::kF32:
            return packer.pack<float>();
        case ElementType::kF64:
            return packer.pack<double>();
        case ElementType::kBytes:
            return packer.pack_texts();
        case ElementType::kF16:
        case ElementType::kBf16:
        case ElementType::kOther:
            break;
    }
    return not_in_json(tensor);
}

}  // namespace rankd::wire
