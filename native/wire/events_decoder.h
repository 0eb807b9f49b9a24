// What `feedback` tells: one event, or a list of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wire/tensors_decoder.h"

namespace rankd::wire {

template <WireValue V>
class EventsDecoder : protected TensorsDecoder<V> {
    using Base = TensorsDecoder<V>;

  protected:
    using Base::arena_, Base::check_length, Base::decode_id, Base::fail, Base::fail_count, Base::fail_type, Base::limits_;
    using Base::Base;

    bool decode_events(const V& value, const Where& where, std::span<const FeedbackEvent>& out) {
        if (value.type() != ValueType::kList) return fail_type(where, "a list of {item, event, user, value, request_id}", value);
        if (value.size() > limits_.max_events) return fail_count(where, value.size(), limits_.max_events);
        if (value.size() == 0) return fail(Code::INVALID_ARGUMENT, where.text(), " is empty: feedback needs at least one event");
        const std::span<FeedbackEvent> events = arena_.template allocate<FeedbackEvent>(value.size());
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& event) {
            const size_t at = count++;
            events[at] = {};
            return decode_event(event, Where(where, at), events[at]);
        });
        out = events;
        return read;
    }

    /// Letters, digits, `_`, `.`, `-`: a name that every file name, column and label can carry.
    bool decode_event_name(const V& value, const Where& where, std::string_view& out) {
        constexpr std::string_view kExpected = "text of a to z, 0 to 9, '_', '.' and '-'";
        if (value.type() != ValueType::kText || value.text().empty()) return fail_type(where, kExpected, value);
        if (!check_length(value.text(), limits_.max_event_bytes, where)) return false;
        const bool is_name = std::all_of(value.text().begin(), value.text().end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        });
        if (!is_name) return fail_type(where, kExpected, value);
        out = V::keep(value.text(), arena_);
        return true;
    }

    /// As a 64-bit float: money and seconds want more digits than a feature.
    bool decode_event_value(const V& value, const Where& where, std::optional<double>& out) {
        if (!is_number(value)) return fail_type(where, "a number", value);
        out = value.number();
        return std::isfinite(*out) || fail(Code::NOT_FINITE, where.text(), " must be a finite number, got ", describe(value));
    }

  private:
    static constexpr std::array<std::string_view, 5> kMembers = {"item", "event", "user", "value", "request_id"};

    bool decode_event(const V& value, const Where& where, FeedbackEvent& event) {
        if (value.type() != ValueType::kMap) return fail_type(where, "a map {item, event, user, value, request_id}", value);
        unsigned seen = 0;
        const bool read = value.for_each_member([&](std::string_view name, const V& member) {
            const auto found = std::find(kMembers.begin(), kMembers.end(), name);
            if (found == kMembers.end()) {
                return fail(Code::INVALID_ARGUMENT, where.text(), " has an unknown field ", quoted(name),
                            ": expected item, event, user, value and request_id");
            }
            const unsigned bit = 1u << (found - kMembers.begin());
            if ((seen & bit) != 0) return fail(Code::INVALID_ARGUMENT, where.text(), " has the field \"", name, "\" twice");
            seen |= bit;
            return member.type() == ValueType::kNil || decode_member(*found, member, where, event);
        });
        if (!read) return false;
        if (event.item.is_none()) return fail(Code::INVALID_ARGUMENT, where.text(), " has no \"item\"");
        return !event.name.empty() || fail(Code::INVALID_ARGUMENT, where.text(), " has no \"event\"");
    }

    bool decode_member(std::string_view name, const V& value, const Where& where, FeedbackEvent& event) {
        const Where place = Where::member(where, name);
        if (name == "item") return decode_id(value, place, event.item);
        if (name == "event") return decode_event_name(value, place, event.name);
        if (name == "user") return decode_id(value, place, event.user);
        if (name == "value") return decode_event_value(value, place, event.value);
        return decode_id(value, place, event.request_id);
    }
};

}  // namespace rankd::wire
