// Parses the header of a .npy file (a Python dict literal behind a magic and a length) and converts its numbers.
#include "tools/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/kernels.h"

namespace rankd::tools {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionOffset = 6, kLengthOffset = 8;

/// The text behind `'key':` in the dict, without leading blanks; empty when the key is not there.
std::string_view value_of(std::string_view header, std::string_view key) {
    const std::string quoted = std::string("'").append(key).append("'");
    size_t at = header.find(quoted);
    if (at == std::string_view::npos) return {};
    at = header.find_first_not_of(" :", at + quoted.size());
    return at == std::string_view::npos ? std::string_view() : header.substr(at);
}

template <typename Source, typename Unsigned>
bool fits(Source value) {
    if constexpr (std::is_signed_v<Source>) {
        if (value < 0) return false;
    }
    return static_cast<uint64_t>(value) <= std::numeric_limits<Unsigned>::max();
}

/// Converts `count` values of type Source. @return the place of the first one that does not fit, or `count`
template <typename Source, typename Unsigned>
uint64_t convert(const uint8_t* data, uint64_t count, std::vector<Unsigned>& out) {
    for (uint64_t i = 0; i < count; ++i) {
        Source value;
        std::memcpy(&value, data + i * sizeof(Source), sizeof(Source));
        if (!fits<Source, Unsigned>(value)) return i;
        out.push_back(static_cast<Unsigned>(value));
    }
    return count;
}

}  // namespace

Status NpyArray::invalid(const std::string& what) const {
    return Status(Code::INVALID_ARGUMENT, path_.string() + ": " + what);
}

Result<NpyArray> NpyArray::open(const std::filesystem::path& path) {
    NpyArray array;
    array.path_ = path;
    RANKD_ASSIGN_OR_RETURN(array.file_, MappedFile::open(path));
    const uint8_t* data = array.file_.data();
    const uint64_t size = array.file_.size();
    if (size < kLengthOffset + 4 || std::memcmp(data, kMagic.data(), kMagic.size()) != 0)
        return array.invalid("is not a .npy file");
    const uint8_t version = data[kVersionOffset];
    if (version < 1 || version > 3) return array.invalid("has .npy version " + std::to_string(version) + ", expected 1 to 3");
    uint32_t header_bytes = 0;
    const size_t length_bytes = version == 1 ? 2 : 4;
    std::memcpy(&header_bytes, data + kLengthOffset, length_bytes);
    const uint64_t start = kLengthOffset + length_bytes;
    if (header_bytes > size - start) return array.invalid("ends within its header");
    RANKD_RETURN_IF_ERROR(array.parse_header({reinterpret_cast<const char*>(data + start), header_bytes}));

    const uint64_t available = size - start - header_bytes;
    const uint64_t most = available / array.value_bytes_;
    if ((array.width_ != 0 && array.rows_ > most / array.width_) || array.size() * array.value_bytes_ != available) {
        return array.invalid("has " + std::to_string(available) + " bytes of data, which is not (" + std::to_string(array.rows_) +
                             ", " + std::to_string(array.width_) + ") " + array.dtype_);
    }
    array.data_ = data + start + header_bytes;
    return array;
}

Status NpyArray::parse_header(std::string_view header) {
    const std::string_view descr = value_of(header, "descr");
    // '<f4': byte order, kind, bytes of a value.
    if (descr.size() < 5 || descr[0] != '\'' || descr[4] != '\'') return invalid("has a dtype that is not a plain number");
    dtype_ = descr.substr(2, 2);
    const std::string_view kinds = "fiu", order = "<|";
    if (kinds.find(dtype_[0]) == std::string_view::npos || std::string_view("1248").find(dtype_[1]) == std::string_view::npos ||
        order.find(descr[1]) == std::string_view::npos) {
        return invalid("has dtype " + std::string(descr.substr(1, 3)) + ", expected little-endian floats or integers");
    }
    value_bytes_ = static_cast<uint64_t>(dtype_[1] - '0');
    if (!value_of(header, "fortran_order").starts_with("False")) {
        return invalid("is in Fortran order: save numpy.ascontiguousarray(array)");
    }

    std::string_view shape = value_of(header, "shape");
    const size_t end = shape.find(')');
    if (!shape.starts_with("(") || end == std::string_view::npos) return invalid("has no readable shape");
    shape = shape.substr(1, end - 1);
    std::vector<uint64_t> extents;
    while (!shape.empty()) {
        uint64_t extent = 0;
        const auto [stop, error] = std::from_chars(shape.data(), shape.data() + shape.size(), extent);
        if (error != std::errc()) return invalid("has no readable shape");
        extents.push_back(extent);
        shape.remove_prefix(static_cast<size_t>(stop - shape.data()));
        shape.remove_prefix(std::min(shape.find_first_not_of(", "), shape.size()));
    }
    if (extents.empty() || extents.size() > 2) {
        return invalid("has " + std::to_string(extents.size()) + " dimensions, expected 1 or 2");
    }
    rows_ = extents[0];
    width_ = extents.size() == 2 ? extents[1] : 1;
    return Status::ok();
}

Result<std::vector<float>> NpyArray::floats() const {
    std::vector<float> values(size());
    if (dtype_ == "f4") {
        if (!values.empty()) std::memcpy(values.data(), data_, values.size() * sizeof(float));
    } else if (dtype_ == "f2") {
        std::vector<uint16_t> halves(size());  // the mapped data may be unaligned
        if (!halves.empty()) std::memcpy(halves.data(), data_, halves.size() * sizeof(uint16_t));
        kernels::kernels().widen_f16(halves.data(), values.data(), values.size());
    } else {
        return invalid("has dtype " + dtype_ + ", expected f4 or f2: save array.astype(numpy.float32)");
    }
    return values;
}

template <typename Unsigned>
Result<std::vector<Unsigned>> NpyArray::integers() const {
    std::vector<Unsigned> values;
    values.reserve(size());
    uint64_t stop = 0;
    if (dtype_ == "i1") stop = convert<int8_t>(data_, size(), values);
    if (dtype_ == "i2") stop = convert<int16_t>(data_, size(), values);
    if (dtype_ == "i4") stop = convert<int32_t>(data_, size(), values);
    if (dtype_ == "i8") stop = convert<int64_t>(data_, size(), values);
    if (dtype_ == "u1") stop = convert<uint8_t>(data_, size(), values);
    if (dtype_ == "u2") stop = convert<uint16_t>(data_, size(), values);
    if (dtype_ == "u4") stop = convert<uint32_t>(data_, size(), values);
    if (dtype_ == "u8") stop = convert<uint64_t>(data_, size(), values);
    if (dtype_[0] == 'f') return invalid("has dtype " + dtype_ + ", expected integers");
    if (stop < size()) {
        return invalid("value " + std::to_string(stop % width_) + " of row " + std::to_string(stop / width_) +
                       " is negative or too large for u" + std::to_string(8 * sizeof(Unsigned)));
    }
    return values;
}

Result<std::vector<uint32_t>> NpyArray::u32() const {
    return integers<uint32_t>();
}
Result<std::vector<uint64_t>> NpyArray::u64() const {
    return integers<uint64_t>();
}

}  // namespace rankd::tools
