// The bodies of design section 7, field by field, written once for every codec.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/events_decoder.h"
#include "wire/fields.h"

namespace rankd::wire {

template <WireValue V>
class BodyDecoder : private EventsDecoder<V> {
    using Base = EventsDecoder<V>;
    using Base::arena_, Base::check_length, Base::check_unique, Base::decode_bool, Base::decode_event_name,
        Base::decode_event_value, Base::decode_events, Base::decode_features, Base::decode_id, Base::decode_ids,
        Base::decode_inputs, Base::decode_outputs, Base::decode_rows, Base::decode_text, Base::fail, Base::fail_count,
        Base::fail_type, Base::failure_, Base::limits_;

  public:
    BodyDecoder(const Limits& limits, Arena& arena, Status& failure, Request& request)
        : Base(limits, arena, failure), request_(request) {}

    bool decode(const V& body) {
        if (body.type() != ValueType::kMap) {
            return fail(Code::INVALID_BODY, "the body must be a map of fields, got ", describe(body));
        }
        const bool read = body.for_each_member([&](std::string_view name, const V& value) {
            Field field;
            failure_ = find_field(request_.operation, name, field);
            return failure_.is_ok() && take_field(field, value);
        });
        return read && check_whole();
    }

  private:
    bool take_field(Field field, const V& value) {
        const uint32_t bit = 1u << static_cast<unsigned>(field);
        if ((seen_ & bit) != 0) return fail(Code::INVALID_ARGUMENT, "\"", field_name(field), "\" stands twice in the body");
        seen_ |= bit;
        if (value.type() == ValueType::kNil) return true;  // absent
        present_ |= bit;
        return decode_field(field, value);
    }

    bool decode_field(Field field, const V& value) {
        const Where where(field_name(field));
        switch (field) {
            case Field::kUser:
                return decode_id(value, where, is_feedback() ? event_.user : request_.user);
            case Field::kHistory:
                request_.has_history = true;
                return decode_ids(value, where, limits_.max_history, request_.history);
            case Field::kFeatures:
                return decode_features(value, where, {}, request_.features);
            case Field::kContext:
                return decode_features(value, where, {}, request_.context);
            case Field::kExclude:
                return decode_ids(value, where, limits_.max_exclude, request_.exclude);
            case Field::kFilters:
                return decode_filters(value, where);
            case Field::kK:
                return decode_k(value, where);
            case Field::kExplain:
                return decode_explain(value, where);
            case Field::kQuery:
                return decode_text(value, where, request_.query);
            case Field::kCandidates:
                return decode_candidates(value, where);
            case Field::kIdType:
                return decode_id_type(value, where);
            case Field::kOrder:
                return decode_order(value, where);
            case Field::kItem:
                return decode_id(value, where, is_feedback() ? event_.item : request_.item);
            case Field::kRows:
                return decode_rows(value, where, request_);
            case Field::kInputs:
                return decode_inputs(value, where, request_);
            case Field::kOutputs:
                return decode_outputs(value, where, request_);
            case Field::kStream:
                return decode_bool(value, where, request_.stream);
            case Field::kTraceparent:
                return decode_traceparent(value, where);
            case Field::kRequestId:
                return decode_id(value, where, event_.request_id);
            case Field::kEvent:
                return decode_event_name(value, where, event_.name);
            case Field::kValue:
                return decode_event_value(value, where, event_.value);
            case Field::kEvents:
                return decode_events(value, where, request_.events);
        }
        return fail(Code::INTERNAL, "this is a bug: a field without a decoder");
    }

    bool decode_k(const V& value, const Where& where) {
        const auto k = unsigned_integer(value);
        if (k && *k >= 1 && *k <= limits_.max_k) {
            request_.k = static_cast<uint32_t>(*k);
            return true;
        }
        const Code code = k && *k > limits_.max_k ? Code::LIMIT_EXCEEDED : Code::INVALID_ARGUMENT;
        return fail(code, where.text(), " must be an integer from 1 to ", limits_.max_k, ", got ", describe(value));
    }

    bool decode_explain(const V& value, const Where& where) {
        if (!decode_bool(value, where, request_.explain)) return false;
        return !request_.explain ||
               fail(Code::INVALID_ARGUMENT, "explanations are not served yet: leave \"explain\" out, or send false");
    }

    bool decode_order(const V& value, const Where& where) {
        const std::string_view word = value.type() == ValueType::kText ? value.text() : std::string_view{};
        if (word != "best" && word != "input") return fail_type(where, "\"best\" or \"input\"", value);
        request_.order = word == "best" ? Order::kBest : Order::kInput;
        return true;
    }

    bool decode_traceparent(const V& value, const Where& where) {
        if (value.type() != ValueType::kText) return fail_type(where, "text", value);
        request_.trace = parse_traceparent(value.text());
        return true;
    }

    bool decode_id_type(const V& value, const Where& where) {
        const std::string_view word = value.type() == ValueType::kText ? value.text() : std::string_view{};
        if (word != "u32_row" && word != "u64") return fail_type(where, "\"u32_row\" or \"u64\"", value);
        request_.candidate_form = word == "u64" ? CandidateForm::kIds64 : CandidateForm::kRows32;
        return true;
    }

    bool decode_filters(const V& value, const Where& where) {
        if (value.type() != ValueType::kMap) return fail_type(where, "a map of attributes to ids", value);
        if (value.size() > limits_.max_features) return fail_count(where, value.size(), limits_.max_features);
        const std::span<AttributeFilter> filters = arena_.template allocate<AttributeFilter>(value.size());
        size_t count = 0;
        const bool read = value.for_each_member([&](std::string_view attribute, const V& ids) {
            AttributeFilter& filter = filters[count++];
            const Where entry = Where::entry(where, attribute);
            if (!check_length(attribute, limits_.max_string_bytes, where)) return false;
            filter.attribute = V::keep(attribute, arena_);
            return decode_any_of(ids, entry, filter.any_of);
        });
        request_.filters = filters;
        return read && check_unique(where, filters, &AttributeFilter::attribute);
    }

    bool decode_any_of(const V& value, const Where& where, std::span<const Id>& ids) {
        if (value.type() != ValueType::kList) {
            const std::span<Id> one = arena_.template allocate<Id>(1);
            ids = one;
            return decode_id(value, where, one[0]);
        }
        if (value.size() == 0)
            return fail(Code::INVALID_ARGUMENT, where.text(), " names no id, so nothing would be left: leave it out");
        return decode_ids(value, where, limits_.max_exclude, ids);
    }

    bool decode_candidates(const V& value, const Where& where) {
        if (value.type() == ValueType::kBinary) {
            request_.candidate_bytes = value.binary();
            return true;  // judged with `id_type`, which may come later
        }
        if (value.type() != ValueType::kList)
            return fail_type(where, "a list of ids or of {id, features}, or binary rows", value);
        if (value.size() > limits_.max_candidates) return fail_count(where, value.size(), limits_.max_candidates);
        ids_ = arena_.template allocate<Id>(value.size());
        candidate_features_ = {};
        size_t count = 0;
        const bool read = value.for_each_element([&](const V& candidate) {
            const size_t at = count++;
            if (candidate.type() == ValueType::kMap) [[unlikely]]
                return decode_candidate_map(candidate, Where(where, at), at);
            return decode_id(candidate, Where(where, at), ids_[at]);
        });
        request_.candidates = ids_;
        request_.candidate_features = candidate_features_;
        return read;
    }

    bool decode_candidate_map(const V& value, const Where& where, size_t at) {
        if (candidate_features_.empty()) {
            candidate_features_ = arena_.template allocate<FeatureMap>(ids_.size());
            std::fill(candidate_features_.begin(), candidate_features_.end(), FeatureMap{});
        }
        bool has_id = false, has_features = false;
        const bool read = value.for_each_member([&](std::string_view name, const V& member) {
            const bool is_id = name == "id";
            if (!is_id && name != "features") {
                return fail(Code::INVALID_ARGUMENT, where.text(), " has an unknown field ", quoted(name),
                            ": expected id and features");
            }
            bool& seen = is_id ? has_id : has_features;
            if (seen) return fail(Code::INVALID_ARGUMENT, where.text(), " has the field \"", name, "\" twice");
            seen = true;
            if (is_id) return decode_id(member, Where::member(where, "id"), ids_[at]);
            if (member.type() == ValueType::kNil) return true;
            const FeatureMap like = at == 0 ? FeatureMap{} : candidate_features_[at - 1];
            return decode_features(member, Where::member(where, "features"), like, candidate_features_[at]);
        });
        return read && (has_id || fail(Code::INVALID_ARGUMENT, where.text(), " has no \"id\""));
    }

    bool is_feedback() const { return request_.operation == Operation::kFeedback; }
    bool has(Field field) const { return (present_ & (1u << static_cast<unsigned>(field))) != 0; }

    /// What only the whole body shows: required fields, and fields that must fit each other.
    bool check_whole() {
        switch (request_.operation) {
            case Operation::kRank:
                return check_candidates() && check_stream();
            case Operation::kSimilar:
                return require(Field::kItem);
            case Operation::kScore:
                return require(Field::kRows);
            case Operation::kInfer:
                return require(Field::kInputs);
            case Operation::kFeedback:
                return check_feedback();
            default:
                return true;
        }
    }

    bool require(Field field) {
        return has(field) ||
               fail(Code::INVALID_ARGUMENT, operation_name(request_.operation), " needs \"", field_name(field), "\"");
    }

    /// One event in the body itself, or a list of them: never both, so that nobody wonders whose `user` holds.
    bool check_feedback() {
        constexpr std::array kOfOne = {Field::kItem, Field::kEvent, Field::kUser, Field::kRequestId, Field::kValue};
        if (has(Field::kEvents)) {
            for (const Field field : kOfOne)
                if (has(field))
                    return fail(Code::INVALID_ARGUMENT, "\"", field_name(field),
                                "\" beside \"events\": it belongs into each of them");
            return true;
        }
        if (!has(Field::kItem) && !has(Field::kEvent))
            return fail(Code::INVALID_ARGUMENT, "feedback needs \"item\" and \"event\", or a list of such \"events\"");
        if (!require(Field::kItem) || !require(Field::kEvent)) return false;
        const std::span<FeedbackEvent> one = arena_.template allocate<FeedbackEvent>(1);
        one[0] = event_;
        request_.events = one;
        return true;
    }

    bool check_stream() {
        return !request_.stream || request_.order == Order::kInput ||
               fail(Code::INVALID_ARGUMENT, "\"stream\" needs \"order\": \"input\": which are best is known only at the end");
    }

    bool check_candidates() {
        if (!require(Field::kCandidates)) return false;
        const bool is_binary = request_.candidate_bytes.data() != nullptr;
        if (is_binary != has(Field::kIdType)) {
            return is_binary ? fail(Code::INVALID_ARGUMENT, "binary \"candidates\" need \"id_type\": \"u32_row\" or \"u64\"")
                             : fail(Code::INVALID_ARGUMENT, "\"id_type\" is for binary \"candidates\"; these are a list");
        }
        if (is_binary && !check_candidate_bytes()) return false;
        return request_.candidate_count() > 0 || fail(Code::INVALID_ARGUMENT, "\"candidates\" is empty: rank needs at least one");
    }

    bool check_candidate_bytes() {
        const bool is_row = request_.candidate_form == CandidateForm::kRows32;
        const size_t width = is_row ? sizeof(uint32_t) : sizeof(uint64_t), bytes = request_.candidate_bytes.size();
        if (bytes % width != 0) {
            return fail(Code::SHAPE_MISMATCH, "\"candidates\" of id_type \"", is_row ? "u32_row" : "u64",
                        "\" must be a multiple of ", width, " bytes, got ", bytes);
        }
        return bytes / width <= limits_.max_candidates || fail_count(Where("candidates"), bytes / width, limits_.max_candidates);
    }

    Request& request_;
    FeedbackEvent event_;                       ///< the one of a body without `events`
    std::span<Id> ids_;                         ///< of the candidates, while they are read
    std::span<FeatureMap> candidate_features_;  ///< empty until a candidate is a map
    uint32_t seen_ = 0;                         ///< one bit per field
    uint32_t present_ = 0;                      ///< of these, the ones that are not nil
};

}  // namespace rankd::wire
