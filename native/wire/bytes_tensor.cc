#include "wire/bytes_tensor.h"

#include "wire/describe.h"

namespace rankd::wire {

Status check_bytes_elements(std::span<const uint8_t> serialised, uint64_t count) {
    uint64_t found = 0;
    const size_t end = for_each_bytes_element(serialised, [&](std::string_view) {
        ++found;
        return true;
    });
    if (end < serialised.size())
        return {Code::SHAPE_MISMATCH,
                concat("must be elements with their lengths as u32 before them; element ", found, " (counted from 0), at byte ",
                       end, ", is not whole: ", serialised.size() - end, " bytes are left")};
    if (found == count) return Status::ok();
    return {Code::SHAPE_MISMATCH, concat("must have ", count, " elements, got ", found)};
}

}  // namespace rankd::wire
