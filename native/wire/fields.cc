#include "wire/fields.h"

#include <array>
#include <cstddef>

#include "wire/describe.h"

namespace rankd::wire {
namespace {

constexpr uint8_t kRecommend = 1 << 0;
constexpr uint8_t kRank = 1 << 1;
constexpr uint8_t kSimilar = 1 << 2;
constexpr uint8_t kScore = 1 << 3;
constexpr uint8_t kInfer = 1 << 4;
constexpr uint8_t kFeedback = 1 << 7;
constexpr unsigned kLastOperation = static_cast<unsigned>(Operation::kFeedback);

struct FieldInfo {
    std::string_view name;
    uint8_t operations;
};

/// In the order of `Field`.
constexpr std::array<FieldInfo, 22> kFields = {{
    {"user", kRecommend | kRank | kFeedback},
    {"history", kRecommend | kRank},
    {"features", kRecommend | kRank},
    {"context", kRecommend | kRank},
    {"exclude", kRecommend | kRank},
    {"filters", kRecommend | kRank},
    {"k", kRecommend | kRank | kSimilar},
    {"explain", kRecommend | kRank},
    {"query", kRank},
    {"candidates", kRank},
    {"id_type", kRank},
    {"order", kRank},
    {"item", kSimilar | kFeedback},
    {"rows", kScore},
    {"inputs", kInfer},
    {"outputs", kInfer},
    {"stream", kRank | kScore},
    {"traceparent", kRecommend | kRank | kSimilar | kScore | kInfer | kFeedback},
    {"request_id", kFeedback},
    {"event", kFeedback},
    {"value", kFeedback},
    {"events", kFeedback},
}};

/// Operations are numbered from 1.
uint8_t bit_of(Operation operation) {
    return static_cast<uint8_t>(1u << (static_cast<unsigned>(operation) - 1));
}

Status unknown_field(Operation operation, std::string_view name) {
    for (const FieldInfo& info : kFields) {
        if (info.name != name) continue;
        std::string takers;
        for (unsigned number = 1; number <= kLastOperation; ++number) {
            const auto taker = static_cast<Operation>(number);
            if ((info.operations & bit_of(taker)) == 0) continue;
            takers.append(takers.empty() ? "" : ", ").append(operation_name(taker));
        }
        return Status(Code::INVALID_ARGUMENT,
                      concat(operation_name(operation), " takes no field \"", name, "\": it belongs to ", takers));
    }
    std::array<std::string_view, kFields.size()> candidates;
    size_t count = 0;
    for (const FieldInfo& info : kFields) {
        if ((info.operations & bit_of(operation)) != 0) candidates[count++] = info.name;
    }
    std::string message = concat("unknown field ", quoted(name), " of ", operation_name(operation));
    const std::string_view closest = closest_name(name, candidates.data(), count);
    if (!closest.empty()) message.append(concat(": did you mean \"", closest, "\"?"));
    return Status(Code::INVALID_ARGUMENT, std::move(message));
}

}  // namespace

std::string_view field_name(Field field) {
    return kFields[static_cast<size_t>(field)].name;
}

Status find_field(Operation operation, std::string_view name, Field& field) {
    for (size_t i = 0; i < kFields.size(); ++i) {
        if (kFields[i].name == name && (kFields[i].operations & bit_of(operation)) != 0) {
            field = static_cast<Field>(i);
            return Status::ok();
        }
    }
    return unknown_field(operation, name);
}

}  // namespace rankd::wire
