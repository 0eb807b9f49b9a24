"""Fairness figures against rates counted by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
from evaluation_world import FixedScores, events_of
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio, equal_opportunity_difference

from rankd_train.data.interactions import Items, Users
from rankd_train.errors import ConfigError
from rankd_train.evaluation.fairness import compare_groups, items_of_interest
from rankd_train.evaluation.rankings import make_question, rank
from rankd_train.evaluation.segments import user_groups

USERS, ITEMS = 120, 60


@pytest.fixture(scope="module")
def asked():
    rng = np.random.default_rng(0)
    state = rng.choice(3, p=[0.7, 0.2, 0.1], size=(USERS, ITEMS))
    state[:, 0] = 2
    question = make_question(sp.csr_matrix((state == 1).astype(np.float32)), events_of(state == 2))
    group = np.repeat(["a", "b", "c", ""], [50, 45, 20, 5])
    return rank(FixedScores(rng.random((USERS, ITEMS)).astype(np.float32)), question, 10), group, state == 2


def test_rates_by_group_are_those_counted_by_hand(asked):
    rankings, group, right = asked
    interesting = np.arange(ITEMS) % 3 == 0
    figures = compare_groups(rankings, {"sex": group}, interesting, "every third item")
    selected, found = {}, {}
    for name in ("a", "b"):
        users = np.flatnonzero(group == name)
        lists = rankings.top[users]
        selected[name] = interesting[lists].mean()
        hits = sum(right[user, item] for user, items in zip(users, lists) for item in items)
        found[name] = hits / right[users].sum()
    shown = figures["by_attribute"]["sex"]["groups"]
    for name in ("a", "b"):
        assert shown[name]["selection_rate"] == pytest.approx(selected[name])
        assert shown[name]["true_positive_rate"] == pytest.approx(found[name])
    assert figures["demographic_parity"] == pytest.approx(abs(selected["a"] - selected["b"]))
    assert figures["equal_opportunity"] == pytest.approx(abs(found["a"] - found["b"]))
    assert figures["disparate_impact"] == pytest.approx(min(selected.values()) / max(selected.values()))
    assert set(figures["within_limits"]) == {"demographic_parity", "equal_opportunity", "disparate_impact"}


def test_the_figures_are_those_that_fairlearn_names(asked):
    rankings, group, right = asked
    interesting = np.arange(ITEMS) % 3 == 0
    figures = compare_groups(rankings, {"sex": group}, interesting, "every third item")
    users = np.flatnonzero(np.isin(group, ["a", "b"]))
    selected = interesting[rankings.top[users]].astype(int).ravel()
    places = {"y_true": selected, "y_pred": selected, "sensitive_features": np.repeat(group[users], 10)}
    assert figures["demographic_parity"] == pytest.approx(demographic_parity_difference(**places))
    assert figures["disparate_impact"] == pytest.approx(demographic_parity_ratio(**places))
    user, item = np.nonzero(right[users])
    found = (rankings.top[users][user] == item[:, None]).any(axis=1).astype(int)
    difference = equal_opportunity_difference(np.ones_like(found), found, sensitive_features=group[users][user])
    assert figures["equal_opportunity"] == pytest.approx(difference)


def test_small_groups_are_named_and_not_compared(asked):
    rankings, group, _ = asked
    figures = compare_groups(rankings, {"sex": group}, np.ones(ITEMS, dtype=bool), "all")
    assert figures["by_attribute"]["sex"]["too_small"] == {"c": 20}
    assert figures["by_attribute"]["sex"]["unknown"] == 5
    alone = compare_groups(rankings, {"sex": np.where(group == "a", "a", "")}, np.ones(ITEMS, dtype=bool), "all")
    assert "demographic_parity" not in alone and list(alone["by_attribute"]["sex"]["groups"]) == ["a"]


def test_the_worst_attribute_stands_on_top(asked):
    rankings, group, _ = asked
    interesting = np.arange(ITEMS) < 20
    shows = interesting[rankings.top].mean(axis=1)
    figures = compare_groups(
        rankings, {"sex": group, "taste": np.where(shows > np.median(shows), "yes", "no")}, interesting, "some"
    )
    by_attribute = figures["by_attribute"]
    assert figures["demographic_parity"] == by_attribute["taste"]["demographic_parity"] > 0.1
    assert figures["within_limits"]["demographic_parity"] is False
    assert figures["disparate_impact"] == min(part["disparate_impact"] for part in by_attribute.values())


def test_nothing_of_interest_in_any_list_leaves_the_ratio_out(asked):
    rankings, group, _ = asked
    figures = compare_groups(rankings, {"sex": group}, np.zeros(ITEMS, dtype=bool), "none")
    assert figures["demographic_parity"] == 0
    assert "disparate_impact" not in figures


def test_items_of_interest_are_the_named_categories_or_the_long_tail():
    items = Items(tuple("abcde"), categories=(("x",), ("y", "x"), ("y",), (), ("z",)))
    tail, _ = items_of_interest(items, np.array([1, 2, 9, 4, 3]), ())
    assert tail.tolist() == [True, True, False, True, True]
    named, words = items_of_interest(items, np.zeros(5), ("x", "z"))
    assert named.tolist() == [True, True, False, False, True] and "x, z" in words
    with pytest.raises(ConfigError, match='no item has the category "w"'):
        items_of_interest(items, np.zeros(5), ("w",))


def test_users_are_new_or_active_by_training_items_and_grouped_by_attribute():
    users = Users(("u", "v", "w"), {"age": np.array(["18", "", "25"])})
    train = sp.csr_matrix(np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]]))
    groups = user_groups(users, np.array([0, 2]), train, 3, ("age",))
    assert {name: group.tolist() for name, group in groups.items()} == {
        "activity": ["active", "new"],
        "age": ["18", "25"],
    }
    with pytest.raises(ConfigError, match='no attribute "sex"; known are: age'):
        user_groups(users, np.array([0]), train, 3, ("sex",))
