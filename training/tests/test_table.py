"""A user's own file becomes interactions, or an error that says what is wrong, where, and how to mend it."""

import gzip

import numpy as np
import polars as pl
import pytest

from rankd_train.data.config import CleaningConfig, DataConfig, ItemTableConfig, TableConfig, UserTableConfig
from rankd_train.data.load import load_interactions
from rankd_train.data.table import read_table
from rankd_train.errors import ConfigError, DataError, DataMissing

KEEP_ALL = CleaningConfig(min_events_per_user=1)


def read(folder, content: str | bytes, name="events.csv", **options):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(TableConfig(path=name, **options), {}, folder)


def load(folder, content: str | bytes, cleaning=KEEP_ALL, **options):
    (folder / "events.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_interactions(DataConfig(table=TableConfig("events.csv", **options), cleaning=cleaning), folder, folder)


def pairs_of(interactions):
    users, items, events = interactions.users.ids, interactions.items.ids, interactions.events
    return [
        (users[user], items[item], float(value)) for user, item, value in zip(events.user, events.item, events.value)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(tmp_path, delimiter):
    lines = ["user,item,stars", "ann,apple,4", "bob,pear,2.5", 'ann,"pear",1']
    found = read(tmp_path, "\n".join(line.replace(",", delimiter) for line in lines), value="stars", explicit=True)
    assert pairs_of(found.interactions) == [("ann", "apple", 4.0), ("ann", "pear", 1.0), ("bob", "pear", 2.5)]
    assert found.interactions.explicit


def test_csv_gzipped_csv_and_parquet_of_the_same_rows_read_alike(tmp_path):
    text = "user,item,value,time\n7,b,1,30\n7,a,2,20\n12,a,3,10\n"
    frame = pl.DataFrame({"user": [7, 7, 12], "item": ["b", "a", "a"], "value": [1.0, 2.0, 3.0], "time": [30, 20, 10]})
    frame.write_parquet(tmp_path / "events.parquet")
    named = {"value": "value", "time": "time"}
    found = [
        read(tmp_path, text, **named),
        read(tmp_path, gzip.compress(text.encode()), "events.csv.gz", **named),
        read_table(TableConfig("events.parquet", **named), {}, tmp_path),
    ]
    for table in found:
        assert pairs_of(table.interactions) == [(7, "a", 2.0), (7, "b", 1.0), (12, "a", 3.0)]  # by user, then by time
        assert table.interactions.users.ids == (7, 12)  # whole numbers stay numbers, and sort as such
        assert table.interactions.events.time.tolist() == [20, 30, 10]


@pytest.mark.parametrize(
    "written",
    [
        "1767225600",
        "1767225600000",
        "1767225600000000",
        "1.7672256e9",
        "2026-01-01",
        "2026-01-01 00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01 00:00:00.000",
        "2026-01-01T02:00+0200",
        "2025-12-31 23:00-01:00",
        "2026-01-01T02:00:00+02:00",
        "2025-12-31T19:00:00-0500",
    ],
)
def test_times_are_seconds_milliseconds_or_iso_8601(tmp_path, written):
    found = read(tmp_path, f"user,item,at\n1,2,{written}\n3,4,{written}\n", time="at")
    assert found.interactions.events.time.tolist() == [1_767_225_600] * 2


def test_parquet_times_may_be_timestamps_and_ids_may_be_floats_that_once_had_gaps(tmp_path):
    at = (
        pl.Series([1_767_225_600_000, 1_767_225_601_000])
        .cast(pl.Datetime("ms", "UTC"))
        .dt.convert_time_zone("Asia/Tokyo")
    )
    pl.DataFrame({"user": [1.0, 2.0], "item": ["x", "y"], "at": at}).write_parquet(tmp_path / "events.parquet")
    found = read_table(TableConfig("events.parquet", time="at"), {}, tmp_path).interactions
    assert found.users.ids == (1, 2)
    assert found.events.time.tolist() == [1_767_225_600, 1_767_225_601]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"events\.csv is empty"),
        ("user,item\n", r"has a header \(user, item\) and no rows"),
        ("\nuser,item\n", "first line of .* is empty"),
        (
            "User_ID,item\n1,2\n",
            r'no column "user" \(data\.table\.user\); it has: User_ID, item\. Did you mean "User_ID"\?',
        ),
        ("user,itme\n1,2\n", r'no column "item".*Did you mean "itme"\?'),
        (
            "user,item\n1,a\n2,b\nbob,c\n",
            r"column \"user\" of events\.csv mixes types: row 4 is 'bob', but most are whole",
        ),
        ("user,item\nann,a\n2,b\nbob,c\n", r"mixes types: row 3 is '2', but most are text.*data\.table\.ids: text"),
        ("user,item\n,a\nnan,b\n", "every row .* lacks its user"),
        ("user,item\n,a\n1,\n", "no row .* is complete; missing: user 1, item 1 of 2"),
        ("user,item\n1,a\n2,b,c\n", r"line 3 of .* has 3 fields, the header 2: '2,b,c'"),
        ("user,item\n1,caf\xe9\n".encode("latin-1"), r"is not UTF-8 .*iconv"),
        ("us\xe9r,item\n1,a\n".encode("latin-1"), "is not UTF-8"),
        ("user,item\n1,a\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    ],
)
def test_a_bad_file_is_told_precisely(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_bad_values_and_times_are_told_with_their_row(tmp_path):
    with pytest.raises(DataError, match=r'column "stars" of events\.csv must be numbers; row 3 is \'good\''):
        read(tmp_path, "user,item,stars\n1,2,3\n1,3,good\n", value="stars")
    with pytest.raises(DataError, match=r"ISO 8601 such as .*; row 3 is 'yesterday'"):
        read(tmp_path, "user,item,at\n1,2,2026-01-01\n1,3,yesterday\n", time="at")


def test_a_file_that_is_not_there_or_no_parquet_is_told(tmp_path):
    with pytest.raises(DataMissing, match=r"nowhere\.csv is not there; paths in a recipe are relative"):
        read_table(TableConfig("nowhere.csv"), {}, tmp_path)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(tmp_path, "user,item\n1,2\n", "events.parquet")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read(tmp_path, gzip.compress(b"user,item\n" + b"1,2\n" * 10_000)[:40], "events.csv.gz")


def test_rows_without_an_id_a_value_or_a_time_are_left_out_and_counted(tmp_path):
    text = "user,item,value,time\n1,a,1,5\n,a,1,5\n2,,1,5\n2,b,NaN,5\n2,b,1,\n2,b,2,9\n"
    found = read(tmp_path, text, value="value", time="time")
    assert pairs_of(found.interactions) == [(1, "a", 1.0), (2, "b", 2.0)]
    assert found.report["missing"] == {"user": 1, "item": 1, "value": 1, "time": 1}


def test_ids_keep_what_they_are(tmp_path):
    large = read(tmp_path, "user,item\n1234567890123456789,007\n,010\n5.0,042\n", ids="auto")
    assert large.interactions.users.ids == (5, 1234567890123456789)
    assert large.interactions.items.ids == ("007", "042")
    gaps = pl.DataFrame({"user": [12345678.0, 1e15, None], "item": [1, 2, 3]})
    gaps.write_parquet(tmp_path / "gaps.parquet")
    assert read_table(TableConfig("gaps.parquet"), {}, tmp_path).interactions.users.ids == (12345678, 10**15)
    pl.DataFrame({"user": [-1, 2], "item": [1, 2]}).write_parquet(tmp_path / "below.parquet")
    with pytest.raises(DataError, match=r"row 2 is -1; numbers as ids start at 0.*ids: text"):
        read_table(TableConfig("below.parquet"), {}, tmp_path)


def test_blanks_around_names_and_ids_do_not_count(tmp_path):
    assert pairs_of(read(tmp_path, "user, item\n1, a\n 2,b\n").interactions) == [(1, "a", 1.0), (2, "b", 1.0)]


def test_times_of_two_units_are_told(tmp_path):
    rows = "\n".join(f"{row},a,{1_767_225_600 + row}" for row in range(5))
    with pytest.raises(DataError, match=r"row 7 is 1767225600000, far from the others .* must have one unit"):
        read(tmp_path, f"user,item,at\n{rows}\n9,b,1767225600000\n", time="at")


def test_slips_in_the_recipe_are_told(tmp_path):
    with pytest.raises(ConfigError, match=r'user and data\.table\.item both name the column "user"'):
        read(tmp_path, "user,item\n1,a\n", item="user")
    with pytest.raises(ConfigError, match=r"value_range must be \[lowest, highest\], got \[5.0, 1.0\]"):
        load(tmp_path, "user,item\n1,a\n2,b\n", CleaningConfig(value_range=(5.0, 1.0)))
    with pytest.raises(ConfigError, match=r'"data\.weights\.buy" must be 0 or more, got -1'):
        load_interactions(DataConfig(table=TableConfig("events.csv"), weights={"buy": -1.0}), tmp_path, tmp_path)


def test_mixed_ids_can_all_be_taken_as_text(tmp_path):
    found = read(tmp_path, "user,item\n1,a\nbob,b\n007,c\n", ids="text")
    assert found.interactions.users.ids == ("007", "1", "bob")


@pytest.mark.parametrize("what", ["user", "item"])
def test_one_user_or_one_item_is_an_error(tmp_path, what):
    columns = {"user": "1,1,1", "item": "a,b,c"} if what == "user" else {"user": "1,2,3", "item": "a,a,a"}
    rows = zip(columns["user"].split(","), columns["item"].split(","))
    with pytest.raises(DataError, match=f"one {what} only in the data .*3 events.*data.table.{what}"):
        load(tmp_path, "user,item\n" + "\n".join(",".join(row) for row in rows))


def test_what_cleaning_takes_is_told_when_nothing_is_left(tmp_path):
    with pytest.raises(DataError, match="cleaning leaves none of 2 events; taken by: min_events_per_user 2"):
        load(tmp_path, "user,item\n1,a\n2,b\n", cleaning=CleaningConfig(min_events_per_user=3))


def test_a_million_duplicates_are_one_event_each_and_are_reported(tmp_path):
    rng = np.random.default_rng(0)
    lines = "\n".join(f"{user},{item}" for user, item in rng.integers(0, 30, size=(1_000_000, 2)).tolist())
    loaded = load(tmp_path, f"user,item\n{lines}")
    assert loaded.interactions.shape == (30, 30)
    assert loaded.report["events"] == 900
    assert loaded.report["cleaning"]["duplicates"] == 999_100
    assert any("took 100% of the events" in warning for warning in loaded.report["warnings"])


def test_kinds_of_events_weigh_what_the_recipe_says(tmp_path):
    (tmp_path / "events.csv").write_text("user,item,kind\n1,a,view\n1,b,buy\n2,a,skip\n2,b,\n")
    config = DataConfig(
        table=TableConfig("events.csv", kind="kind"),
        weights={"buy": 5.0, "skip": 0.0, "bought": 2.0},
        cleaning=KEEP_ALL,
    )
    loaded = load_interactions(config, tmp_path, tmp_path)
    assert pairs_of(loaded.interactions) == [(1, "a", 1.0), (1, "b", 5.0), (2, "b", 1.0)]
    assert loaded.report["reading"]["weighed_0"] == 1
    assert any("bought" in warning for warning in loaded.report["warnings"])


ITEMS = """sku;name;about;groups;price;since
b;Blue box;holds things;boxes| blue;2,5;2020-01-01
a;Ape;;;10;
a;Again;;;;
z;Zero;;toys;1;
"""


def test_items_and_users_are_described_by_their_own_files(tmp_path):
    (tmp_path / "items.csv").write_text(ITEMS.replace("2,5", "2.5"))
    (tmp_path / "people.csv").write_text("user,gender,town\n2,f,\n1,m,Bonn\n")
    items = ItemTableConfig(
        "items.csv", id="sku", text=("name", "about"), categories="groups", price="price", created="since"
    )
    users = UserTableConfig("people.csv", attributes=("gender", "town"))
    found = read(tmp_path, "user,item\n1,a\n2,b\n3,c\n", items=items, users=users)
    described = found.interactions.items
    assert described.ids == ("a", "b", "c", "z")  # those of both files
    assert described.text == ("Ape", "Blue box holds things", "", "Zero")
    assert described.categories == ((), ("boxes", "blue"), (), ("toys",))
    assert described.price.tolist()[:2] == [10.0, 2.5] and np.isnan(described.price[2])
    assert described.created.tolist() == [-1, 1_577_836_800, -1, -1]
    assert described.tags is None
    assert found.interactions.users.attributes["town"].tolist() == ["Bonn", "", ""]
    assert found.report["items_described_twice"] == 1
    assert set(found.sha256) == {"events.csv", "items.csv", "people.csv"}


def test_a_described_item_without_events_stays_only_if_the_recipe_keeps_it(tmp_path):
    (tmp_path / "items.csv").write_text("item,name\na,A\nb,B\nz,Z\n")
    items = ItemTableConfig("items.csv", text=("name",))
    text = "user,item\n1,a\n2,b\n"
    kept = load(tmp_path, text, CleaningConfig(min_events_per_item=0, min_events_per_user=1), items=items)
    assert kept.interactions.items.ids == ("a", "b", "z")
    assert load(tmp_path, text, items=items).interactions.items.ids == ("a", "b")


def test_items_named_by_text_cannot_describe_items_named_by_numbers(tmp_path):
    (tmp_path / "items.csv").write_text("item,name\nx,A\ny,B\n")
    with pytest.raises(
        DataError, match=r'column "item" of items\.csv is text, while the events name their items by numbers'
    ):
        read(tmp_path, "user,item\n1,1\n2,2\n", items=ItemTableConfig("items.csv"))
