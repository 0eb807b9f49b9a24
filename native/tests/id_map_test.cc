// Id maps: every id finds its row, no other does, and no damaged file does harm or makes probing endless.
#include "store/id_map.h"

#include <unordered_set>

#include "store/id_map_layout.h"
#include "tests/store_support.h"
#include "tests/test.h"

namespace {

using namespace rankd;
using namespace rankd::store;
using rankd::test::Bytes;
using rankd::test::TemporaryFolder;

std::unique_ptr<IdMap> open(const std::filesystem::path& path) {
    auto map = IdMap::open(path);
    CHECK_OK(map);
    return std::move(map).value();
}

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
    return {texts.begin(), texts.end()};
}

Status damaged_status(const TemporaryFolder& folder, const Bytes& bytes) {
    test::write_bytes(folder / "damaged.ids", bytes);
    const auto opened = IdMap::open(folder / "damaged.ids");
    if (!opened.is_ok()) return opened.status();
    const IdMap& map = **opened;
    std::vector<uint32_t> rows(50);
    std::vector<uint64_t> integers;
    std::vector<std::string> texts;
    for (uint64_t i = 0; i < rows.size(); ++i) {
        integers.push_back(i);
        texts.push_back("id-" + std::to_string(i));
    }
    map.find_many(integers, rows);
    for (const uint32_t row : rows) CHECK(row == kNoRow || row < map.size());
    map.find_many(views(texts), rows);
    for (const uint32_t row : rows) CHECK(row == kNoRow || row < map.size());
    for (uint32_t row = 0; row < map.size(); ++row) {
        if (map.key_kind() == KeyKind::kText) {
            CHECK(map.find(map.text_at(row)) == kNoRow || map.find(map.text_at(row)) < map.size());
        } else {
            CHECK(map.find(map.integer_at(row)) == kNoRow || map.find(map.integer_at(row)) < map.size());
        }
    }
    return Status::ok();
}

void check_invalid(const Status& status, std::string_view part) {
    CHECK(status.code() == Code::BUNDLE_INVALID);
    if (status.message().find(part) == std::string::npos) CHECK_EQ(status.message(), std::string(part));
}

Bytes good_map(const TemporaryFolder& folder, KeyKind kind) {
    std::vector<uint64_t> integers;
    std::vector<std::string> texts;
    for (uint64_t i = 0; i < 40; ++i) {
        integers.push_back(i * 3);
        texts.push_back("id-" + std::to_string(i * 3));
    }
    const auto path = folder / "good.ids";
    CHECK_OK(kind == KeyKind::kU64 ? write_id_map(path, integers) : write_id_map(path, views(texts)));
    return test::read_bytes(path);
}

}  // namespace

TEST("100,000 random integers find their rows, and others find none") {
    const TemporaryFolder folder;
    std::mt19937_64 random(1);
    std::unordered_set<uint64_t> seen = {0, ~uint64_t{0}, 1};
    std::vector<uint64_t> keys(seen.begin(), seen.end());
    while (keys.size() < 100000) {
        const uint64_t key = keys.size() % 2 == 0 ? random() : keys.size();
        if (seen.insert(key).second) keys.push_back(key);
    }
    CHECK_OK(write_id_map(folder / "a.ids", keys));
    const auto map = open(folder / "a.ids");
    CHECK(map->key_kind() == KeyKind::kU64);
    CHECK_EQ(map->size(), 100000u);
    std::vector<uint32_t> rows(keys.size());
    map->find_many(keys, rows);
    for (uint32_t row = 0; row < keys.size(); ++row) {
        if (rows[row] != row || map->find(keys[row]) != row || map->integer_at(row) != keys[row]) CHECK_EQ(rows[row], row);
    }
    for (int i = 0; i < 100000; ++i) {
        const uint64_t key = random();
        if (!seen.contains(key)) CHECK_EQ(map->find(key), kNoRow);
    }
    CHECK_EQ(map->find("1"), kNoRow);
}

TEST("100,000 texts find their rows, and others find none") {
    const TemporaryFolder folder;
    std::vector<std::string> keys;
    for (int i = 0; i < 100000; ++i) keys.push_back((i % 2 == 0 ? "item-" : "пакет/") + std::to_string(i * 7919LL));
    keys[17] = std::string(256, 'x');
    keys[18] = std::string("a\0b", 3);
    CHECK_OK(write_id_map(folder / "a.ids", views(keys)));
    const auto map = open(folder / "a.ids");
    CHECK(map->key_kind() == KeyKind::kText);
    std::vector<uint32_t> rows(keys.size());
    map->find_many(views(keys), rows);
    for (uint32_t row = 0; row < keys.size(); ++row) {
        if (rows[row] != row || map->find(keys[row]) != row || map->text_at(row) != keys[row]) CHECK_EQ(rows[row], row);
    }
    const std::vector<std::string_view> missing = {"item-1", "", "item-", "пакет/0", "a", std::string_view(keys[17]).substr(1)};
    map->find_many(missing, rows);
    for (size_t i = 0; i < missing.size(); ++i) CHECK_EQ(rows[i], kNoRow);
    CHECK_EQ(map->find(uint64_t{1}), kNoRow);
    const std::vector<uint64_t> integers = {1, 2};
    map->find_many(integers, rows);
    CHECK_EQ(rows[1], kNoRow);
}

TEST("ids that start in the same slot all find their rows, across the table's end too") {
    const TemporaryFolder folder;
    std::vector<uint64_t> keys;
    for (uint64_t key = 0; keys.size() < 48; ++key) {
        if ((layout::hash_id(key) & 63) >= 62) keys.push_back(key);  // the last two of 64 slots
    }
    CHECK_OK(write_id_map(folder / "a.ids", keys));
    const auto map = open(folder / "a.ids");
    for (uint32_t row = 0; row < keys.size(); ++row) CHECK_EQ(map->find(keys[row]), row);
    CHECK_EQ(map->find(~uint64_t{0}), kNoRow);
}

TEST("a tag that lies is found out by the key, in single and in many look-ups") {
    const TemporaryFolder folder;
    const std::vector<uint64_t> keys = {11, 22};
    CHECK_OK(write_id_map(folder / "a.ids", keys));
    Bytes bytes = test::read_bytes(folder / "a.ids");
    // Two slots in front of row 1's key claim its tag: the first one names row 0.
    const auto slots = test::get<uint64_t>(bytes, layout::kSlotsOffset),
               mask = test::get<uint64_t>(bytes, layout::kSlotCount) - 1;
    const uint64_t hash = layout::hash_id(22);
    for (uint64_t at = 0; at <= mask; ++at) test::put(bytes, slots + at * 8, uint64_t{0});
    test::put(bytes, slots + (hash & mask) * 8, layout::make_slot(hash, 0));
    test::put(bytes, slots + ((hash + 1) & mask) * 8, layout::make_slot(hash, 1));
    test::write_bytes(folder / "b.ids", bytes);
    const auto map = open(folder / "b.ids");
    CHECK_EQ(map->find(uint64_t{22}), 1u);
    std::vector<uint32_t> rows(1);
    map->find_many(std::span(keys).last(1), rows);
    CHECK_EQ(rows[0], 1u);
}

TEST("hashes are the documented ones") {
    CHECK_EQ(layout::hash_id(uint64_t{0}), uint64_t{0});
    CHECK_EQ(layout::hash_id(uint64_t{1}), uint64_t{0xB456BCFC34C2CB2C});
    CHECK_EQ(layout::hash_id(std::string_view("a")), layout::hash_id(uint64_t{0xAF63DC4C8601EC8C}));  // FNV-1a 64 of "a"
}

TEST("empty maps open and hold nothing") {
    const TemporaryFolder folder;
    CHECK_OK(write_id_map(folder / "a.ids", std::span<const uint64_t>()));
    CHECK_OK(write_id_map(folder / "b.ids", std::span<const std::string_view>()));
    CHECK_EQ(open(folder / "a.ids")->find(uint64_t{0}), kNoRow);
    CHECK_EQ(open(folder / "b.ids")->find("x"), kNoRow);
}

TEST("duplicate, empty, over-long and ill-formed ids are refused with the id and its rows") {
    const TemporaryFolder folder;
    const std::vector<uint64_t> integers = {5, 6, 5};
    const Status duplicate = write_id_map(folder / "a.ids", integers);
    CHECK(duplicate.code() == Code::INVALID_ARGUMENT);
    CHECK_EQ(duplicate.message(), "id 5 is in row 0 and again in row 2");
    const std::string longest(257, 'x');
    for (const std::vector<std::string_view>& ids :
         std::vector<std::vector<std::string_view>>{{"a", "b", "a"}, {"a", ""}, {"a", longest}, {"\xC0\x80"}}) {
        CHECK(write_id_map(folder / "a.ids", ids).code() == Code::INVALID_ARGUMENT);
    }
    CHECK_EQ(folder.file_count(), size_t{0});
}

TEST("each damage of an id map is refused by a message that says what is wrong") {
    const TemporaryFolder folder;
    const Bytes good = good_map(folder, KeyKind::kText);
    const auto with = [&](uint64_t at, auto value) {
        Bytes bytes = good;
        test::put(bytes, at, value);
        return damaged_status(folder, bytes);
    };
    const auto slots = test::get<uint64_t>(good, layout::kSlotsOffset), offsets = test::get<uint64_t>(good, layout::kKeysOffset);
    const auto text = test::get<uint64_t>(good, layout::kTextOffset);
    uint64_t occupied = slots, empty = slots;
    while (test::get<uint64_t>(good, occupied) == 0) occupied += 8;
    while (test::get<uint64_t>(good, empty) != 0) empty += 8;
    check_invalid(with(layout::kKeyKind, uint32_t{3}), "has key kind 3");
    check_invalid(with(layout::kCount, ~uint64_t{0}), "at most 4294967294 are allowed");
    check_invalid(with(layout::kSlotCount, uint64_t{63}), "has 63 slots for 40 ids, expected a power of two");
    check_invalid(with(layout::kSlotCount, uint64_t{32}), "has 32 slots for 40 ids");
    check_invalid(with(layout::kSlotCount, uint64_t{1} << 63), "slots is 18446744073709551615 bytes at 64, past");
    check_invalid(with(layout::kSlotsOffset, uint64_t{8}), "slots starts at 8");
    check_invalid(with(layout::kKeysOffset, ~uint64_t{63}), "keys is 164 bytes at 18446744073709551552, past");
    check_invalid(with(layout::kTextBytes, ~uint64_t{0}), "text is");
    check_invalid(with(occupied, uint32_t{41}), "a slot names row 40 of 40");
    check_invalid(with(occupied, uint32_t{0}), "39 slots are occupied, expected one for each of 40 ids");
    check_invalid(with(empty, uint32_t{1}), "41 slots are occupied");
    check_invalid(with(offsets + 4, uint32_t{0}), "the id of row 0 lies from 0 to 0");
    check_invalid(with(offsets + 4, uint32_t{0xFFFFFFFF}), "the id of row 0 lies from 0 to 4294967295");
    check_invalid(with(offsets + 8, uint32_t{1}), "the id of row 1 lies from 4 to 1");
    check_invalid(with(text, uint8_t{0xFF}), "the id of row 0 is not UTF-8");
}

TEST("a damaged id map of either kind fails cleanly or behaves") {
    for (const KeyKind kind : {KeyKind::kU64, KeyKind::kText}) {
        const TemporaryFolder folder;
        const Bytes good = good_map(folder, kind);
        test::for_each_damage(good, layout::kIdHeaderBytes + 64, [&](const Bytes& bytes) {
            const Status status = damaged_status(folder, bytes);
            CHECK(status.is_ok() || status.code() == Code::BUNDLE_INVALID);
        });
    }
}
