"""Features are what training and the catalogue say, in [0, 1], and serving can make them again from their statistics."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from rankd_train.data.config import FeatureConfig
from rankd_train.data.feature_stats import feature_stats
from rankd_train.data.feature_tables import make_features
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.data.normalise import apply, percentile_of
from rankd_train.data.time_features import angles

CONFIG = FeatureConfig(text_dim=4, max_categories=3, max_tags=2, trending_days=10)
NOW = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
DAY = 86_400

USERS = Users((1, 2, 3), {"gender": np.array(["f", "m", ""], dtype=object)})
ITEMS = Items(
    ids=("a", "b", "c", "d"),
    text=("red apple pie", "green apple", "", "red wine"),
    categories=(("fruit", "sweet"), ("fruit",), (), ("drink",)),
    tags=(("x", "y", "z"), ("x", "y"), ("x",), ()),
    price=np.array([1.0, 3.0, np.nan, 9.0], dtype=np.float32),
    created=np.array([NOW - 100 * DAY, NOW, -1, NOW - 50 * DAY]),
)
EVENTS = Events(
    user=np.array([0, 0, 0, 1]),
    item=np.array([0, 1, 3, 0]),
    value=np.array([5, 4, 1, 3], dtype=np.float32),
    time=np.array([NOW - 20 * DAY, NOW - 10 * DAY, NOW, NOW - 5 * DAY]),
)


@pytest.fixture(scope="module")
def features():
    return make_features(USERS, ITEMS, EVENTS, CONFIG, seed=0)


def column(table, name) -> list[float]:
    return table.values[:, table.names.index(name)].tolist()


def test_everything_lies_between_0_and_1(features):
    for table in (features.user, features.item):
        assert table.values.dtype == np.float32
        assert table.values.min() >= 0 and table.values.max() <= 1
        assert len(set(table.names)) == table.values.shape[1]
        assert all(0 <= feature.default <= 1 for feature in table.columns)


def test_users_are_described_by_what_they_did(features):
    user = features.user
    assert column(user, "gender=f") == [1, 0, 0] and column(user, "gender=m") == [0, 1, 0]
    assert column(user, "events") == pytest.approx([1, math.log(2) / math.log(4), 0])
    assert column(user, "average_value") == pytest.approx(
        [(10 / 3 - 1) / 4, 0.5, ((10 / 3 - 1) / 4 + 0.5) / 2]
    )  # mean if unknown
    assert column(user, "categories_explored") == pytest.approx([2 / 2, 1 / 2, 0])
    assert column(user, "recency") == pytest.approx([1, 2**-0.5, 0])  # half after ten days
    assert column(user, "frequency") == pytest.approx([math.log1p(3 / 21) / math.log(2), 1, 0])
    assert column(user, "first_seen") == pytest.approx([0, 1, 1])
    assert user.codes["favourite_category"].vocabulary == ("fruit", "drink")
    assert user.codes["favourite_category"].codes.tolist() == [1, 1, 0]
    assert user.codes["gender"].codes.tolist() == [1, 2, 0]


def test_items_are_described_by_the_catalogue_and_by_who_met_them(features):
    item = features.item
    assert column(item, "category=fruit") == [1, 1, 0, 0] and column(item, "category=sweet") == [1, 0, 0, 0]
    assert column(item, "tag=x") == [1, 1, 1, 0] and column(item, "tag=other") == [1, 0, 0, 0]
    assert column(item, "price_percentile") == pytest.approx([0, 0.5, 0.5, 1])
    assert column(item, "popularity") == pytest.approx([1, math.log(2) / math.log(3), 0, math.log(2) / math.log(3)])
    assert column(item, "average_value") == pytest.approx([0.75, 0.75, 0.5, 0.0])
    assert column(item, "trending") == pytest.approx([1, 0, 0, 1])  # within ten days
    assert column(item, "recency") == pytest.approx([2**-0.5, 0.5, 0, 1])
    assert column(item, "created") == pytest.approx([0, 1, 0.5, 0.5])
    assert item.codes["category"].codes.tolist() == [1, 1, 0, 2]


def test_text_vectors_are_cosines_brought_to_0_and_1_and_0_5_without_text(features):
    names = [name for name in features.item.names if name.startswith("text_")]
    vectors = np.stack([column(features.item, name) for name in names], axis=1) * 2 - 1
    assert vectors[2].tolist() == [0] * len(names)
    assert np.linalg.norm(vectors[[0, 1, 3]], axis=1) == pytest.approx([1, 1, 1])
    assert vectors[0] @ vectors[1] > vectors[1] @ vectors[3]  # apples are nearer to apples


def test_moments_stand_on_their_circles_where_the_calendar_puts_them():
    moments = [
        datetime(2026, 1, 5, 6, tzinfo=UTC),
        datetime(1969, 7, 20, 18, tzinfo=UTC),
        datetime(2024, 2, 29, 0, tzinfo=UTC),
    ]
    found = angles(np.array([int(moment.timestamp()) for moment in moments]))
    for name, turn in {
        "hour": [moment.hour / 24 for moment in moments],
        "weekday": [moment.weekday() / 7 for moment in moments],
        "month": [(moment.month - 1) / 12 for moment in moments],
    }.items():
        assert found[name] == pytest.approx(2 * np.pi * np.array(turn)), name


def test_the_hour_of_a_user_is_the_mean_direction_of_his_events():
    times = np.array([NOW + 6 * 3600, NOW + 6 * 3600, NOW, NOW + 12 * 3600])
    events = Events(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.ones(4, dtype=np.float32), times)
    user = make_features(Users((1, 2)), Items(("a", "b")), events, CONFIG, 0).user
    assert column(user, "hour_sin") == pytest.approx([1, 0.5], abs=1e-6)  # six o'clock; midnight and noon cancel out
    assert column(user, "hour_cos") == pytest.approx([0.5, 0.5], abs=1e-6)


def test_what_a_set_does_not_tell_makes_no_column():
    events = Events(EVENTS.user, EVENTS.item, np.ones(4, dtype=np.float32))
    bare = make_features(Users((1, 2, 3)), Items(ITEMS.ids), events, CONFIG, 0)
    assert bare.user.names == ("events",)
    assert bare.item.names == ("popularity",)


def test_features_know_nothing_but_the_events_they_are_given(features):
    later = Events(*(np.append(part, value) for part, value in zip(vars(EVENTS).values(), (2, 2, 5.0, NOW + DAY))))
    more = make_features(USERS, ITEMS, later, CONFIG, 0)
    assert column(more.item, "popularity") != column(features.item, "popularity")
    again = make_features(USERS, ITEMS, later.where(np.arange(4)), CONFIG, 0)
    assert (again.user.values == features.user.values).all() and (again.item.values == features.item.values).all()


def test_serving_makes_the_same_numbers_from_the_statistics(features):
    stats = json.loads(json.dumps(feature_stats(features, np.array([0.25, 0.5]))))
    raw = {
        "events": [3, 1, 0],
        "average_value": [10 / 3, 3, np.nan],
        "average_price": [13 / 3, 1, np.nan],
        "categories_explored": [2, 1, 0],
        "recency": [NOW, NOW - 5 * DAY, np.nan],
        "frequency": [3 / 21, 1, np.nan],
        "gender=f": [["f"], ["m"], []],
    }
    for entry in stats["user"]["features"]:
        if entry["name"] in raw:
            values = apply(entry["normaliser"], raw[entry["name"]])
            served = np.where(np.isnan(values), entry["default"], values)
            assert served == pytest.approx(features.user.values[:, entry["order"]], abs=1e-6), entry["name"]
    assert [entry["name"] for entry in stats["item"]["features"]] == list(features.item.names)
    assert stats["user"]["codes"]["favourite_category"]["vocabulary"] == ["fruit", "drink"]
    other = next(entry for entry in stats["item"]["features"] if entry["name"] == "tag=other")
    assert apply(other["normaliser"], [("z",), ("x",), ()]).tolist() == [1, 0, 0]
    assert stats["score"]["quantiles"]["0.5"] == pytest.approx(0.375)


def test_statistics_tell_the_quantiles_of_what_was_trained_on(features):
    stats = feature_stats(features, None)
    assert "score" not in stats
    for table, entries in ((features.user, stats["user"]["features"]), (features.item, stats["item"]["features"])):
        for entry in entries:
            values = np.sort(table.values[:, entry["order"]])
            assert entry["quantiles"]["0.0"] == values[0] and entry["quantiles"]["1.0"] == values[-1]
            assert entry["type"] in {"number", "share", "count", "cycle", "one-hot", "tf-idf"}


def test_a_percentile_is_the_share_of_prices_below():
    prices = np.random.default_rng(0).lognormal(size=5_000)
    shares = apply(percentile_of(prices), np.sort(prices))
    assert np.abs(shares - np.linspace(0, 1, 5_000)).max() < 0.011
    assert apply(percentile_of(prices), np.array([-1.0, 1e9, np.nan]))[:2].tolist() == [0, 1]
    assert apply(percentile_of(np.array([5.0, 5.0, 5.0])), np.array([5.0])).tolist() == [0.5]


def test_texts_without_a_usable_term_make_no_columns():
    items = Items(("a", "b"), text=("sku", ""))
    assert make_features(Users((1, 2, 3)), items, EVENTS.where(np.array([0, 3])), CONFIG, 0).item.values.shape[0] == 2
    assert not any(
        name.startswith("text") for name in make_features(USERS, items, EVENTS.where([0, 3]), CONFIG, 0).item.names
    )
