// `inputs` and `outputs` of `infer`: tensors as the Open Inference Protocol names them, data as bytes or as lists of numbers or
// texts.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wire/bytes_tensor.h"
#include "wire/rows_decoder.h"
#include "wire/tensor_elements.h"

namespace rankd::wire {

template <WireValue V>
class TensorsDecoder : protected RowsDecoder<V> {
    using Base = RowsDecoder<V>;

  protected:
    using Base::arena_, Base::check_unique, Base::decode_text, Base::fail, Base::fail_count, Base::fail_type, Base::failure_,
        Base::limits_;
    using Base::Base;

    bool decode_inputs(const V& value, const Where& where, Request& request) {
        if (value.type() != ValueType::kList) return fail_type(where, "a list of {name, datatype, shape, data}", value);
        if (value.size() > limits_.max_tensors) return fail_count(where, value.size(), limits_.max_tensors);
        const std::span<NamedTensor> tensors = arena_.template allocate<NamedTensor>(value.size());
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& tensor) {
            const size_t at = count++;
            tensors[at] = {};
            return decode_tensor(tensor, Where(where, at), tensors[at]);
        });
        request.inputs = tensors;
        return read && check_unique(where, tensors, &NamedTensor::name);
    }

    bool decode_outputs(const V& value, const Where& where, Request& request) {
        if (value.type() != ValueType::kList) return fail_type(where, "a list of {name}", value);
        if (value.size() > limits_.max_tensors) return fail_count(where, value.size(), limits_.max_tensors);
        const std::span<WantedOutput> outputs = arena_.template allocate<WantedOutput>(value.size());
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& output) {
            const Where at(where, count);
            return decode_output(output, at, outputs[count++]);
        });
        request.outputs = outputs;
        return read && check_unique(where, outputs, &WantedOutput::name);
    }

  private:
    static constexpr std::array<std::string_view, 4> kFields = {"name", "datatype", "shape", "data"};

    /// What a tensor's map has brought so far.
    struct Parts {
        std::optional<ElementType> type;
        bool is_list = false;
        uint8_t seen = 0;  ///< one bit per field, in the order of kFields
        ArenaVector<TensorElement> elements;
        ArenaVector<std::string_view> texts;  ///< of BYTES
    };

    bool decode_output(const V& value, const Where& where, WantedOutput& output) {
        output = {};
        if (value.type() != ValueType::kMap) return fail_type(where, "a map {name}", value);
        bool has_name = false;
        const bool read = value.for_each_member([&](std::string_view name, const V& member) {
            if (name != "name") return fail_unknown(where, name, "name");
            if (has_name) return fail(Code::INVALID_ARGUMENT, where.text(), " has the field \"name\" twice");
            has_name = true;
            return decode_text(member, Where::member(where, "name"), output.name);
        });
        return read && (has_name || fail_missing(where, "name"));
    }

    bool fail_missing(const Where& where, std::string_view field) {
        return fail(Code::INVALID_ARGUMENT, where.text(), " has no \"", field, "\"");
    }
    bool fail_unknown(const Where& where, std::string_view name, std::string_view known) {
        return fail(Code::INVALID_ARGUMENT, where.text(), " has an unknown field ", quoted(name), ": expected ", known);
    }

    bool decode_tensor(const V& value, const Where& where, NamedTensor& tensor) {
        if (value.type() != ValueType::kMap) return fail_type(where, "a map {name, datatype, shape, data}", value);
        Parts parts{{}, false, 0, ArenaVector<TensorElement>(arena_), ArenaVector<std::string_view>(arena_)};
        const bool read = value.for_each_member([&](std::string_view name, const V& member) {
            const auto field = static_cast<size_t>(std::find(kFields.begin(), kFields.end(), name) - kFields.begin());
            if (field == kFields.size()) return fail_unknown(where, name, "name, datatype, shape and data");
            if ((parts.seen >> field & 1) != 0)
                return fail(Code::INVALID_ARGUMENT, where.text(), " has the field \"", kFields[field], "\" twice");
            parts.seen |= static_cast<uint8_t>(1u << field);
            const Where at = Where::member(where, kFields[field]);
            switch (field) {
                case 0:
                    return decode_text(member, at, tensor.name);
                case 1:
                    return decode_datatype(member, at, parts);
                case 2:
                    return decode_shape(member, at, tensor);
                default:
                    return decode_data(member, at, tensor, parts);
            }
        });
        if (!read) return false;
        for (size_t field = 0; field < kFields.size(); ++field)
            if ((parts.seen >> field & 1) == 0) return fail_missing(where, kFields[field]);
        tensor.type = *parts.type;
        return check_data(where, tensor, parts);
    }

    bool decode_datatype(const V& value, const Where& where, Parts& parts) {
        if (value.type() == ValueType::kText) parts.type = element_type_from_datatype(value.text());
        return parts.type || fail_type(where, "one of " + datatype_names(), value);
    }

    bool decode_shape(const V& value, const Where& where, NamedTensor& tensor) {
        if (value.type() != ValueType::kList) return fail_type(where, "a list of dimensions", value);
        if (value.size() > limits_.max_rank) return fail_count(where, value.size(), limits_.max_rank);
        const std::span<int64_t> shape = arena_.template allocate<int64_t>(value.size());
        size_t count = 0;
        tensor.shape = shape;
        return value.for_each_element([&](const V& dimension) {
            const auto size = unsigned_integer(dimension);
            if (!size || *size > UINT32_MAX) return fail_type(Where(where, count), "a dimension (an integer from 0)", dimension);
            shape[count++] = static_cast<int64_t>(*size);
            return true;
        });
    }

    bool decode_data(const V& value, const Where& where, NamedTensor& tensor, Parts& parts) {
        parts.is_list = value.type() == ValueType::kList;
        if (parts.is_list) return collect(value, where, parts, 0);
        if (value.type() != ValueType::kBinary) return fail_type(where, "binary, or a list of numbers or texts", value);
        tensor.data = value.binary();
        return true;
    }

    /// Lists may nest as the shape does, or be flat: either way the order is row-major.
    bool collect(const V& list, const Where& where, Parts& parts, uint32_t depth) {
        if (depth >= limits_.max_rank)
            return fail(Code::LIMIT_EXCEEDED, where.text(), " nests deeper than ", limits_.max_rank, " lists");
        size_t at = 0;
        return list.for_each_element([&](const V& element) {
            const Where place(where, at++);
            if (element.type() == ValueType::kList) return collect(element, place, parts, depth + 1);
            return take_element(element, place, parts);
        });
    }

    bool take_element(const V& element, const Where& where, Parts& parts) {
        if (element.type() == ValueType::kText) {
            parts.texts.push_back(V::keep(element.text(), arena_));
        } else if (element.type() == ValueType::kBool || is_number(element)) {
            parts.elements.push_back(TensorElement::of(element));
        } else {
            return fail_type(where, "a number or a text", element);
        }
        return true;
    }

    bool check_data(const Where& where, NamedTensor& tensor, const Parts& parts) {
        uint64_t count = 1;
        for (const int64_t dimension : tensor.shape) {
            count *= static_cast<uint64_t>(dimension);
            if (count > limits_.max_frame_bytes)
                return fail(Code::LIMIT_EXCEEDED, where.text(), " has a shape of more than ", limits_.max_frame_bytes,
                            " elements");
        }
        if (tensor.type == ElementType::kBytes) return check_texts(where, tensor, parts, count);
        if (parts.texts.size() > 0)
            return fail(Code::INVALID_ARGUMENT, where.text(), " is ", datatype_name(tensor.type), ", and its data holds texts");
        if (parts.is_list) return pack_list(where, tensor, parts.elements.span(), count);
        const size_t expected = count * element_bytes(tensor.type);
        if (tensor.data.size() == expected) return true;
        return fail(Code::SHAPE_MISMATCH, where.text(), " needs ", expected, " bytes of data (", count, " elements of ",
                    datatype_name(tensor.type), "), got ", tensor.data.size());
    }

    bool check_texts(const Where& where, NamedTensor& tensor, const Parts& parts, uint64_t count) {
        if (parts.elements.size() > 0)
            return fail(Code::INVALID_ARGUMENT, where.text(), " is BYTES, and its data holds numbers: expected texts");
        if (parts.is_list) tensor.data = serialise(parts.texts.span());
        failure_ = check_bytes_elements(tensor.data, count);
        if (failure_.is_ok()) return true;
        failure_ = failure_.within(where.text() + ".data");
        return false;
    }

    std::span<const uint8_t> serialise(std::span<const std::string_view> texts) {
        size_t bytes = 0;
        for (const std::string_view text : texts) bytes += kElementLengthBytes + text.size();
        const std::span<uint8_t> packed = arena_.template allocate<uint8_t>(bytes);
        uint8_t* end = packed.data();
        for (const std::string_view text : texts) end = write_bytes_element(end, text);
        return packed;
    }

    bool pack_list(const Where& where, NamedTensor& tensor, std::span<const TensorElement> elements, uint64_t count) {
        if (tensor.type == ElementType::kF16 || tensor.type == ElementType::kBf16)
            return fail(Code::INVALID_ARGUMENT, where.text(), " is ", datatype_name(tensor.type),
                        ", which has no list form: send binary");
        if (elements.size() != count)
            return fail(Code::SHAPE_MISMATCH, where.text(), " needs ", count, " elements of data, got ", elements.size());
        const std::span<uint8_t> packed = arena_.template allocate<uint8_t>(elements.size() * element_bytes(tensor.type));
        const size_t fitting = pack_elements(tensor.type, elements, packed);
        tensor.data = packed;
        return fitting == elements.size() || fail(Code::INVALID_ARGUMENT, where.text(), " is ", datatype_name(tensor.type),
                                                  ", and element ", fitting, " of its data (counted from 0) does not fit");
    }
};

}  // namespace rankd::wire
