// Reads upserts and removals and makes the next snapshot; a bad one changes nothing.
#include "pipeline/live_items.h"

#include <cmath>
#include <cstring>

#include "wire/msgpack_reader.h"

namespace rankd::pipeline {
namespace {

using wire::Id;
using wire::MsgpackReader;
using wire::MsgpackValue;
using wire::ValueType;

struct ItemChange {
    Id id;
    std::vector<std::pair<const index::Index*, std::vector<float>>> vectors;
    std::vector<std::pair<const store::Column*, std::vector<float>>> columns;
};

bool fail(Status& failure, Code code, std::string message) {
    if (failure.is_ok()) failure = Status(code, std::move(message));
    return false;
}

bool read_id(const MsgpackValue& value, Id& id, Status& failure) {
    if (value.type() == ValueType::kText && !value.text().empty()) {
        id = Id::of(value.text());
        return true;
    }
    if (const auto integer = wire::unsigned_integer(value)) {
        id = Id::of(*integer);
        return true;
    }
    return fail(failure, Code::INVALID_ARGUMENT, "an item's id must be a non-empty text or an integer from 0");
}

bool check_finite(const std::vector<float>& values, std::string_view name, Status& failure) {
    for (float value : values)
        if (!std::isfinite(value))
            return fail(failure, Code::NOT_FINITE, "\"" + std::string(name) + "\" holds a value that is not finite");
    return true;
}

class ChangeReader {
  public:
    ChangeReader(const Bundle& bundle, Status& failure) : bundle_(bundle), failure_(failure) {}

    bool read(const MsgpackValue& value, ItemChange& change) {
        if (value.type() != ValueType::kMap)
            return fail(failure_, Code::INVALID_ARGUMENT, "an item must be a map {id, vectors?, columns?}");
        const bool read_all = value.for_each_member([&](std::string_view key, const MsgpackValue& member) {
            if (key == "id") return read_id(member, change.id, failure_);
            const bool is_map = member.type() == ValueType::kMap;
            if (key == "vectors" && is_map)
                return member.for_each_member([&](auto name, const auto& v) { return read_vector(name, v, change); });
            if (key == "columns" && is_map)
                return member.for_each_member([&](auto name, const auto& v) { return read_column(name, v, change); });
            return fail(failure_, Code::INVALID_ARGUMENT,
                        "item: \"" + std::string(key) + "\" is not a field, or not a map; an item has id, vectors, columns");
        });
        if (!read_all) return false;
        return !change.id.is_none() || fail(failure_, Code::INVALID_ARGUMENT, "an item without id");
    }

  private:
    bool read_vector(std::string_view name, const MsgpackValue& value, ItemChange& change) {
        const auto found = bundle_.resources().indexes.find(std::string(name));
        if (found == bundle_.resources().indexes.end())
            return fail(failure_, Code::INVALID_ARGUMENT, "vectors: there is no index \"" + std::string(name) + "\"");
        const index::Index& index = *found->second;
        if (value.type() != ValueType::kBinary || value.binary().size() != index.dim() * sizeof(float))
            return fail(failure_, Code::SHAPE_MISMATCH,
                        "vectors." + std::string(name) + " must be binary of " + std::to_string(index.dim()) + " float32");
        std::vector<float> vector(index.dim());
        std::memcpy(vector.data(), value.binary().data(), value.binary().size());
        if (!check_finite(vector, name, failure_)) return false;
        if (index.metric() == index::Metric::kCosine) {
            float norm = 0;
            for (float x : vector) norm += x * x;
            if (norm > 0)
                for (float& x : vector) x /= std::sqrt(norm);
        }
        change.vectors.emplace_back(&index, std::move(vector));
        return true;
    }

    bool read_column(std::string_view name, const MsgpackValue& value, ItemChange& change) {
        const auto column = bundle_.resources().column(std::string(name), "columns");
        if (!column.is_ok()) return fail(failure_, Code::INVALID_ARGUMENT, column.status().message());
        const uint32_t width = (*column)->width();
        if (value.type() != ValueType::kList || value.size() != width || width == 0)
            return fail(failure_, Code::SHAPE_MISMATCH,
                        "columns." + std::string(name) + " must be a list of " + std::to_string(width) + " numbers");
        std::vector<float> values;
        const bool read_all = value.for_each_element([&](const MsgpackValue& number) {
            if (!wire::is_number(number))
                return fail(failure_, Code::INVALID_ARGUMENT, "columns." + std::string(name) + " must hold numbers");
            values.push_back(static_cast<float>(number.number()));
            return true;
        });
        if (!read_all || !check_finite(values, name, failure_)) return false;
        change.columns.emplace_back(*column, std::move(values));
        return true;
    }

    const Bundle& bundle_;
    Status& failure_;
};

/// The row of an id, removed or not; store::kNoRow when nobody knows it.
uint32_t find_row(const Bundle& bundle, const LiveItems& live, const Id& id) {
    const store::IdMap& ids = *bundle.item_ids();
    if (id.kind == Id::Kind::kText) {
        if (const uint32_t row = ids.find(id.text); row != store::kNoRow) return row;
        const auto found = live.text_rows.find(std::string(id.text));
        return found == live.text_rows.end() ? store::kNoRow : found->second;
    }
    if (const uint32_t row = ids.find(id.integer); row != store::kNoRow) return row;
    const auto found = live.integer_rows.find(id.integer);
    return found == live.integer_rows.end() ? store::kNoRow : found->second;
}

uint32_t add_row(const Bundle& bundle, LiveItems& live, const Id& id) {
    const auto row = static_cast<uint32_t>(bundle.item_count() + live.new_texts.size() + live.new_integers.size());
    if (id.kind == Id::Kind::kText) {
        live.new_texts.emplace_back(id.text);
        live.text_rows.emplace(id.text, row);
    } else {
        live.new_integers.push_back(id.integer);
        live.integer_rows.emplace(id.integer, row);
    }
    return row;
}

Status check_kind(const Bundle& bundle, const Id& id) {
    const bool is_text = bundle.item_ids()->key_kind() == store::KeyKind::kText;
    if ((id.kind == Id::Kind::kText) == is_text) return Status::ok();
    return {Code::INVALID_ARGUMENT, std::string("this bundle's item ids are ") + (is_text ? "texts" : "integers")};
}

template <typename Visitor>
Status for_each_of(std::span<const uint8_t> bytes, Status& failure, Visitor&& visit) {
    MsgpackReader reader(bytes, Code::INVALID_BODY, failure);
    MsgpackValue list;
    if (!reader.next(list)) return failure;
    if (list.type() != ValueType::kList) return {Code::INVALID_BODY, "expected a msgpack list"};
    if (!list.for_each_element(visit)) return failure;
    if (reader.remaining() != 0) return {Code::INVALID_BODY, std::to_string(reader.remaining()) + " bytes follow the list"};
    return Status::ok();
}

}  // namespace

Result<std::shared_ptr<const LiveItems>> upsert_items(const Bundle& bundle, const LiveItems& current,
                                                      std::span<const uint8_t> items, uint32_t& count) {
    if (bundle.item_ids() == nullptr) return Status(Code::UNSUPPORTED_OPERATION, "this bundle has no items");
    auto next = std::make_shared<LiveItems>(current);
    Status failure;
    ChangeReader changes(bundle, failure);
    uint32_t written = 0;
    RANKD_RETURN_IF_ERROR(for_each_of(items, failure, [&](const MsgpackValue& value) {
        ItemChange change;
        if (!changes.read(value, change)) return false;
        if (failure = check_kind(bundle, change.id); !failure.is_ok()) return false;
        uint32_t row = find_row(bundle, *next, change.id);
        if (row == store::kNoRow) row = add_row(bundle, *next, change.id);
        next->removed.erase(row);
        for (auto& [index, vector] : change.vectors) next->vectors[index][row] = std::move(vector);
        for (auto& [column, values] : change.columns) next->columns[column][row] = std::move(values);
        ++written;
        return true;
    }));
    count = written;
    return std::shared_ptr<const LiveItems>(std::move(next));
}

Result<std::shared_ptr<const LiveItems>> remove_items(const Bundle& bundle, const LiveItems& current,
                                                      std::span<const uint8_t> ids, uint32_t& count) {
    if (bundle.item_ids() == nullptr) return Status(Code::UNSUPPORTED_OPERATION, "this bundle has no items");
    auto next = std::make_shared<LiveItems>(current);
    Status failure;
    uint32_t removed = 0;
    RANKD_RETURN_IF_ERROR(for_each_of(ids, failure, [&](const MsgpackValue& value) {
        Id id;
        if (!read_id(value, id, failure)) return false;
        const uint32_t row = find_row(bundle, *next, id);
        if (row != store::kNoRow && next->removed.insert(row).second) ++removed;
        return true;
    }));
    count = removed;
    return std::shared_ptr<const LiveItems>(std::move(next));
}

}  // namespace rankd::pipeline
