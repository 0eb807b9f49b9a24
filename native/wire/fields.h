// The fields of request bodies (design section 7): their names, and which operation takes which.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "wire/codec.h"

namespace rankd::wire {

enum class Field : uint8_t {
    kUser,
    kHistory,
    kFeatures,
    kContext,
    kExclude,
    kFilters,
    kK,
    kExplain,
    kQuery,
    kCandidates,
    kIdType,
    kOrder,
    kItem,
    kRows,
    kInputs,
    kOutputs,
    kStream,
    kTraceparent,
    kRequestId,
    kEvent,
    kValue,
    kEvents,
};

std::string_view field_name(Field field);

/// INVALID_ARGUMENT when `operation` has no field of that name, with the likely meaning of a slip.
Status find_field(Operation operation, std::string_view name, Field& field);

}  // namespace rankd::wire
