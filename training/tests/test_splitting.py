"""No part of a split knows of the parts after it, whatever the kind; and the same seed cuts alike."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rankd_train.data.config import SplitConfig
from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.loaded import Given, Loaded
from rankd_train.data.splitting import folds, make_split, split_kind
from rankd_train.data.validation import split_report
from rankd_train.errors import ConfigError, DataError

USERS, ITEMS = 40, 25
KINDS = [
    SplitConfig("temporal"),
    SplitConfig("temporal", by_user=False),
    SplitConfig("random"),
    SplitConfig("random", by_user=False),
    SplitConfig("leave-one-out"),
    SplitConfig("given", ratios=(0.7, 0.1, 0.2)),
]


def loaded_of(pairs, time=None, given=None, explicit=False) -> Loaded:
    user, item = (np.array(column, dtype=np.int64) for column in zip(*pairs))
    events = Events(user, item, np.ones(len(user), dtype=np.float32), None if time is None else np.array(time))
    ids = Users(tuple(range(user.max() + 1))), Items(tuple(f"item-{number:02}" for number in range(item.max() + 1)))
    return Loaded(Interactions(*ids, events, explicit), given, {}, {})


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """Users of 1 to 18 events, in the order of their times; every fifth event was published as a test one."""
    rng = np.random.default_rng(11)
    pairs, time = [], []
    for user in range(USERS):
        count = rng.integers(1, 19)
        pairs += [(user, item) for item in rng.choice(ITEMS, size=count, replace=False)]
        time += np.sort(rng.integers(0, 400, size=count)).tolist()
    return loaded_of(pairs, time, Given(np.arange(len(pairs)) % 5 == 4))


def parts_of(split):
    return split.train, split.validation, split.test


def pairs_of(split, part) -> set[tuple]:
    return {(split.users.ids[user], split.items.ids[item]) for user, item in zip(part.user, part.item)}


@pytest.mark.parametrize("config", KINDS, ids=str)
def test_the_parts_are_disjoint_and_complete(loaded, config):
    split = make_split(loaded, config, seed=0)
    found = [pairs_of(split, part) for part in parts_of(split)]
    assert all(found)
    assert sum(map(len, found)) == len(set.union(*found)) == len(loaded.interactions.events)
    everything = loaded.interactions
    assert set.union(*found) == pairs_of(replace(split, items=everything.items), everything.events)


@pytest.mark.parametrize("config", KINDS, ids=str)
def test_items_are_numbered_by_falling_training_popularity_equal_ones_as_before(loaded, config):
    split = make_split(loaded, config, seed=0)
    counts = np.bincount(split.train.item, minlength=ITEMS)
    assert list(zip(-counts, split.items.ids)) == sorted(zip(-counts, split.items.ids))


@pytest.mark.parametrize("config", KINDS, ids=str)
def test_the_same_seed_cuts_alike_and_events_stay_in_order(loaded, config):
    first, second = (make_split(loaded, config, seed=4) for _ in range(2))
    for part, same in zip(parts_of(first), parts_of(second)):
        assert (part.user == same.user).all() and (part.item == same.item).all()
        assert (part.order() == np.arange(len(part))).all()


@pytest.mark.parametrize("config", [SplitConfig("random"), SplitConfig("given")], ids=str)
def test_another_seed_cuts_otherwise(loaded, config):
    first, second = (make_split(loaded, config, seed) for seed in (0, 1))
    assert pairs_of(first, first.validation) != pairs_of(second, second.validation)


def test_a_temporal_split_by_user_never_learns_from_what_came_after(loaded):
    split = make_split(loaded, SplitConfig("temporal"), seed=0)
    for user in range(USERS):
        times = [part.time[part.user == user] for part in parts_of(split)]
        known = [part for part in times if len(part)]
        assert all(earlier.max() <= later.min() for earlier, later in pairwise(known))
        count = sum(map(len, times))
        assert len(times[0]) == count if count < 3 else abs(len(times[0]) - 0.7 * count) <= 1


def test_the_shares_hold_over_all_users_where_no_history_is_long_enough_for_them():
    """A tenth of eight events, rounded, would leave nobody to choose by."""
    users, each = 200, 8
    user = np.repeat(np.arange(users), each)
    events = Events(
        user, np.tile(np.arange(each), users), np.ones(len(user), np.float32), np.tile(np.arange(each), users)
    )
    interactions = Interactions(Users(tuple(range(users))), Items(tuple(range(each))), events)
    split = make_split(Loaded(interactions, None, {}, {}), SplitConfig("temporal"), seed=0)
    shares = np.array([len(part) for part in parts_of(split)]) / len(user)
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.005)


def test_auto_cuts_as_published_else_by_time_else_at_random(loaded):
    without_times = replace(loaded.interactions.events, time=None)
    timeless = replace(loaded, given=None, interactions=replace(loaded.interactions, events=without_times))
    kinds = [split_kind(each, SplitConfig()) for each in (loaded, replace(loaded, given=None), timeless)]
    assert kinds == ["given", "temporal", "random"]
    assert len(make_split(timeless, SplitConfig(), seed=0).test) > 0


def test_a_split_at_one_moment_has_a_moment_between_its_parts(loaded):
    split = make_split(loaded, SplitConfig("temporal", by_user=False), seed=0)
    assert split.train.time.max() < split.validation.time.min()
    assert split.validation.time.max() < split.test.time.min()
    assert 0.6 < len(split.train) / len(loaded.interactions.events) < 0.75
    assert split_report(split)["test"]["users_without_history"] >= 0


def test_leave_one_out_tests_the_last_event_and_validates_by_the_one_before(loaded):
    split = make_split(loaded, SplitConfig("leave-one-out"), seed=0)
    events = loaded.interactions.events
    for user in range(USERS):
        items = [loaded.interactions.items.ids[item] for item in events.item[events.user == user]]
        held = [[split.items.ids[item] for item in part.item[part.user == user]] for part in parts_of(split)]
        assert held == ([items, [], []] if len(items) < 3 else [items[:-2], [items[-2]], [items[-1]]])


def test_without_times_leave_one_out_draws_each_users_items_in_turn(loaded):
    """One generator, user after user: models/packages was measured on a split that was drawn so."""
    events = loaded.interactions.events
    rows = [np.sort(events.item[events.user == user]) for user in range(USERS)]
    kept = [row for row in rows if len(row) >= 3]
    split = make_split(
        loaded_of([(user, item) for user, row in enumerate(kept) for item in row]), SplitConfig("leave-one-out"), seed=3
    )
    rng = np.random.default_rng(3)
    drawn = [[loaded.interactions.items.ids[item] for item in rng.permutation(row)] for row in kept]
    for user, (test, validation, *learned) in enumerate(drawn):
        held = [{split.items.ids[item] for item in part.item[part.user == user]} for part in parts_of(split)]
        assert held == [set(learned), {validation}, {test}]


def test_a_given_split_keeps_its_test_part_and_gives_validation_a_share_of_each_user(loaded):
    split = make_split(loaded, SplitConfig("given"), seed=0)
    published = loaded.interactions.events.where(loaded.given.test)
    assert pairs_of(split, split.test) == pairs_of(replace(split, items=loaded.interactions.items), published)
    learned = np.bincount(loaded.interactions.events.user[~loaded.given.test], minlength=USERS)
    taken = np.bincount(split.validation.user, minlength=USERS)
    assert (taken == np.minimum(np.floor(learned * 0.1 + 0.5), np.maximum(learned - 1, 0))).all()


def test_where_tests_rank_among_drawn_items_validation_does_so_too():
    pairs = [(user, item) for user in range(6) for item in range(user, user + 4)]
    test = np.tile([False, False, False, True], 6)
    negatives = np.array([[9, 8] if user < 5 else [0, 1] for user in range(6)])
    loaded = loaded_of([*pairs, (5, 9)], given=Given(np.append(test, False), negatives))
    split = make_split(loaded, SplitConfig("given"), seed=0)
    assert np.bincount(split.validation.user).tolist() == [1] * 6
    old = loaded.interactions.items.ids
    renumbered = [[split.items.ids[item] for item in row] for row in split.negatives]
    assert renumbered == [[old[item] for item in row] for row in negatives]
    for user, row in enumerate(split.validation_negatives):
        met = [*split.train.item[split.train.user == user], *split.validation.item[split.validation.user == user]]
        assert len(set(row)) == 2 and not set(row) & set(met)


def test_an_item_that_was_met_before_is_no_answer_later():
    pairs, time = [(0, 0), (0, 1), (0, 2), (0, 0), (0, 3), (0, 0), (1, 1), (1, 2), (1, 3)], [1, 2, 3, 4, 5, 6, 1, 2, 3]
    split = make_split(loaded_of(pairs, time), SplitConfig("temporal"), seed=0)
    assert not pairs_of(split, split.train) & pairs_of(split, split.test)
    assert (0, "item-00") in pairs_of(split, split.train)


def test_each_event_is_tested_in_one_fold(loaded):
    splits = folds(loaded, 5, seed=0)
    tested = [pairs_of(split, split.test) for split in splits]
    assert sum(map(len, tested)) == len(set.union(*tested)) == len(loaded.interactions.events)
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    for split in splits:
        assert len(split.train) + len(split.test) == len(loaded.interactions.events) and not len(split.validation)
    with pytest.raises(ConfigError, match="number of folds must be between 2 and"):
        folds(loaded, 1, seed=0)


def test_what_cannot_be_cut_is_told(loaded):
    timeless = loaded_of([(0, 0), (0, 1), (1, 1)])
    with pytest.raises(
        ConfigError, match=r'"temporal", but the data have no times: name their column in data\.table\.time'
    ):
        make_split(timeless, SplitConfig("temporal"), 0)
    with pytest.raises(ConfigError, match="no published split"):
        make_split(timeless, SplitConfig("given"), 0)
    with pytest.raises(ConfigError, match="add up to 1"):
        make_split(loaded, SplitConfig(ratios=(0.7, 0.7, 0.2)), 0)
    with pytest.raises(DataError, match="all events have the same time"):
        make_split(loaded_of([(0, 0), (0, 1), (1, 1)], [5, 5, 5]), SplitConfig("temporal", by_user=False), 0)
    with pytest.raises(DataError, match="9 of 10 events have the earliest time"):
        crowded = loaded_of([(number, number) for number in range(10)], [5] * 9 + [6])
        make_split(crowded, SplitConfig("temporal", by_user=False), 0)
