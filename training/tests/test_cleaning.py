"""Each step of cleaning takes what it says, in its order, and counts it; the report tells what is left."""

from dataclasses import replace

import numpy as np
import pytest

from rankd_train.data.cleaning import clean
from rankd_train.data.config import CleaningConfig
from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.loaded import Given
from rankd_train.data.validation import as_text, gini, validate
from rankd_train.errors import ConfigError

NOTHING = CleaningConfig(duplicates="keep", min_events_per_item=0, min_events_per_user=0)


def interactions(pairs, values=None, times=None, users=None, items=None) -> Interactions:
    user, item = (np.array(column, dtype=np.int64) for column in zip(*pairs))
    value = np.ones(len(user), dtype=np.float32) if values is None else np.array(values, dtype=np.float32)
    events = Events(user, item, value, None if times is None else np.array(times))
    return Interactions(
        Users(tuple(range(users or user.max() + 1))), Items(tuple(range(items or item.max() + 1))), events
    )


def triples(cleaned):
    kept = cleaned.interactions
    columns = (kept.events.user, kept.events.item, kept.events.value)
    return [(kept.users.ids[user], kept.items.ids[item], float(value)) for user, item, value in zip(*columns)]


def took(cleaned) -> dict[str, int]:
    return {step.name: step.events for step in cleaned.steps}


def test_dropped_items_go_from_events_and_catalogue():
    cleaned = clean(interactions([(0, 0), (0, 1), (1, 1)]), None, replace(NOTHING, dropped_items=("1",)))
    assert triples(cleaned) == [(0, 0, 1.0)]
    assert cleaned.interactions.items.ids == (0,)
    assert took(cleaned)["dropped_items"] == 2


def test_values_outside_their_range_go():
    cleaned = clean(interactions([(0, 0), (0, 1), (1, 1)], [0.5, 9, 3]), None, replace(NOTHING, value_range=(1.0, 5.0)))
    assert triples(cleaned) == [(1, 1, 3.0)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last", [(0, 0, 4.0), (0, 1, 2.0), (1, 0, 5.0)]),
        ("sum", [(0, 0, 8.0), (0, 1, 2.0), (1, 0, 5.0)]),
        ("keep", [(0, 0, 1.0), (0, 1, 2.0), (0, 0, 3.0), (0, 0, 4.0), (1, 0, 5.0)]),
    ],
)
def test_of_duplicates_the_last_stays_or_their_sum_or_all(how, expected):
    pairs = [(0, 0), (0, 1), (0, 0), (0, 0), (1, 0)]
    cleaned = clean(interactions(pairs, [1, 2, 3, 4, 5], times=[1, 2, 3, 4, 1]), None, replace(NOTHING, duplicates=how))
    assert sorted(triples(cleaned)) == sorted(expected)
    assert took(cleaned).get("duplicates", 0) == 5 - len(expected)
    if how != "keep":
        assert cleaned.interactions.events.time.tolist() == [2, 4, 1]  # of the last one, still in the order of time


def test_a_user_with_more_events_than_a_person_has_goes_whole():
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert triples(clean(interactions(pairs), None, replace(NOTHING, outlier_events=2))) == [(1, 0, 1.0), (1, 1, 1.0)]


def test_rare_items_go_before_short_users_and_an_item_without_a_user_left_stays():
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 1), (2, 3), (3, 3), (4, 3)]
    cleaned = clean(interactions(pairs), None, replace(NOTHING, min_events_per_item=2, min_events_per_user=2))
    assert triples(cleaned) == [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (2, 1, 1.0), (2, 3, 1.0)]
    lone = clean(
        interactions([(0, 0), (0, 1), (1, 2)]), None, replace(NOTHING, min_events_per_item=1, min_events_per_user=2)
    )
    assert lone.interactions.items.ids == (0, 1, 2)


def test_what_says_more_of_users_and_items_stays_beside_those_that_stay():
    raw = interactions([(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)])
    described = Items((2, 1, 9), text=("two", "one", "nine"))
    raw = replace(
        raw,
        users=replace(raw.users, about=((9,), (), (1, 2))),
        items=replace(raw.items, text=("a", "b", "c"), described=described),
    )
    kept = clean(raw, None, replace(NOTHING, min_events_per_item=2, min_events_per_user=2)).interactions
    assert kept.users.ids == (0, 1) and kept.users.about == ((9,), ())
    whole = kept.items.whole()
    assert whole.ids == (0, 1, 2, 9) and whole.text == ("a", "b", "two", "nine")


def test_a_published_split_is_carried_along_and_its_negatives_must_all_stay():
    raw = interactions([(0, 0), (0, 1), (1, 1), (1, 2), (2, 3)])
    given = Given(np.array([False, True, False, True, False]), np.array([[2], [0], [-1]]))
    cleaned = clean(raw, given, replace(NOTHING, min_events_per_user=2))
    assert cleaned.given.test.tolist() == [False, True, False, True]
    assert cleaned.given.negatives.tolist() == [[2], [0]]
    with pytest.raises(ConfigError, match="takes items away that the published negatives"):
        clean(raw, given, replace(NOTHING, dropped_items=("2",)))


def test_the_gini_of_popularity_is_half_the_mean_difference_over_the_mean():
    counts = np.array([0, 3, 3, 10, 1])
    difference = np.abs(counts[:, None] - counts[None, :]).mean()
    assert gini(counts) == pytest.approx(difference / (2 * counts.mean()))
    assert gini(np.full(9, 4)) == pytest.approx(0)


def test_the_report_counts_and_warns():
    raw = interactions([(user, user % 3) for user in range(30)] + [(0, 1), (0, 2)], times=[7] * 32)
    raw = replace(raw, events=raw.events.where(raw.events.order()))
    report = validate(raw, clean(raw, None, replace(NOTHING, min_events_per_user=2)))
    assert report["before_cleaning"] == {"users": 30, "items": 3, "events": 32}
    assert (report["users"], report["items"], report["events"]) == (1, 3, 3)
    assert report["density"] == 1.0
    text = as_text(report)
    for warning in (
        "97% of the users have a single event",
        "cleaning took 91% of the events",
        "all times are equal",
        "too few for figures",
    ):
        assert warning in text
