"""What rankd logged comes back as training events."""

import json

import pytest

from rankd_train.data.adding import add_events
from rankd_train.data.config import CleaningConfig, DataConfig, TableConfig
from rankd_train.data.feedback import read_feedback
from rankd_train.data.load import load_interactions
from rankd_train.errors import ConfigError, DataError, DataMissing

SERVED = {"model": "packages", "version": "1.0.0", "request_id": "r-1"}


def line(user, item, event="click", time=5_000, **more) -> str:
    who = {} if user is None else {"user": user}
    return json.dumps({"time": time, **SERVED, **who, "item": item, "event": event, **more}) + "\n"


def write(folder, *segments: str):
    for number, text in enumerate(segments):
        (folder / f"events-{number:06}.jsonl").write_text(text)
    return folder


def triples_of(interactions):
    users, items, events = interactions.users.ids, interactions.items.ids, interactions.events
    return [
        (users[user], items[item], float(value)) for user, item, value in zip(events.user, events.item, events.value)
    ]


def test_segments_are_read_in_order_with_weights_by_event(tmp_path):
    write(
        tmp_path,
        line("ann", "b", time=9_999) + line("ann", "a", "buy", time=1_000) + line("bob", "a", value=0.5),
        line("bob", "c", "hide") + line("cid", "c", "seen"),
    )
    found = read_feedback(tmp_path, {"buy": 10.0, "hide": 0.0})
    assert triples_of(found.interactions) == [
        ("ann", "a", 10.0),
        ("ann", "b", 1.0),
        ("bob", "a", 0.5),
        ("cid", "c", 1.0),
    ]
    assert found.interactions.events.time.tolist() == [1, 9, 5, 5]  # seconds
    assert found.interactions.events.kind.tolist() == ["buy", "click", "click", "seen"]
    assert found.report == {"segments": 2, "lines": 5, "torn": 0, "without_user": 0, "weighed_0": 1}
    assert set(found.sha256) == {"events-000000.jsonl", "events-000001.jsonl"}


def test_lines_without_a_user_and_a_torn_last_line_are_counted_and_left_out(tmp_path):
    write(tmp_path, line(None, "a") + line(1, 2) + line(3, 4)[:-20], line(3, 5))
    found = read_feedback(tmp_path, {})
    assert triples_of(found.interactions) == [(1, 2, 1.0), (3, 5, 1.0)]
    assert found.report["torn"] == 1 and found.report["without_user"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{broken\n" + line(1, 2), r"events-000000\.jsonl, line 1, is not JSON: '\{broken'"),
        ("[1]\n", "line 1, is no JSON object"),
        (line(1, None), 'line 1: "item" is None, expected text or a whole number'),
        (line(1, 2, time="now"), "\"time\" is 'now', expected a whole number"),
        (line(1, 2, value="much"), "value 'much'; expected an id and a number"),
        (line(1, 2) + line("x", 2), "name some users by numbers .* and others by text"),
        (line(None, 2), "no line of the 1 segments .* names a user"),
    ],
)
def test_a_broken_log_is_told_precisely(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_feedback(write(tmp_path, text), {})


def test_a_folder_without_segments_is_told(tmp_path):
    with pytest.raises(DataMissing, match=r"has no events-\*\.jsonl"):
        read_feedback(tmp_path, {})


def test_feedback_alone_is_enough_to_train_on(tmp_path):
    write(tmp_path, "".join(line(user, item) for user in (1, 2) for item in "abc"))
    loaded = load_interactions(DataConfig(feedback="."), tmp_path, tmp_path)
    assert loaded.interactions.shape == (2, 3)
    assert loaded.report["reading"]["feedback"]["lines"] == 6


def test_feedback_is_added_to_a_table_whose_ids_it_shares(tmp_path):
    (tmp_path / "table.csv").write_text("user,item,at\nann,a,1\nann,b,2\nbob,b,3\n")
    write(tmp_path, line("bob", "a", time=2_000) + line("new", "c", time=9_000))
    config = DataConfig(
        table=TableConfig("table.csv", time="at"), feedback=".", cleaning=CleaningConfig(min_events_per_user=1)
    )
    loaded = load_interactions(config, tmp_path, tmp_path)
    assert loaded.interactions.users.ids == ("ann", "bob", "new")
    assert triples_of(loaded.interactions) == [
        ("ann", "a", 1.0),
        ("ann", "b", 1.0),
        ("bob", "a", 1.0),  # by time: the click was before the row of the table
        ("bob", "b", 1.0),
        ("new", "c", 1.0),
    ]


def test_what_cannot_be_added_up_is_refused(tmp_path):
    clicks = read_feedback(write(tmp_path, line("ann", "a") + line("bob", "b")), {}).interactions
    (tmp_path / "table.csv").write_text("user,item,stars\n1,a,5\n2,b,1\n")
    numbered = DataConfig(table=TableConfig("table.csv"), feedback=".")
    with pytest.raises(DataError, match=r"name their users by numbers .* the feedback by text"):
        load_interactions(numbered, tmp_path, tmp_path)
    rated = DataConfig(table=TableConfig("table.csv", value="stars", explicit=True), feedback=".")
    with pytest.raises(ConfigError, match="cannot be added to ratings"):
        load_interactions(rated, tmp_path, tmp_path)
    added, _, warnings = add_events(clicks, None, clicks)
    assert len(added.events) == 4 and not warnings
