"""Popularity, random order and categories: what every model has to beat."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from classic_world import DAY, make_data, options, restored

from rankd_train.errors import ConfigError
from rankd_train.models import category, popularity, random_order
from rankd_train.models.category import CategoryConfig
from rankd_train.models.popularity import PopularityConfig
from rankd_train.models.random_order import RandomConfig
from rankd_train.models.registry import find_family


def popular_scores(config: PopularityConfig, data) -> np.ndarray:
    model = popularity.fit(config, data, options()).model
    return model.scores(np.array([0]), data.matrix[:1])[0]


def test_popularity_counts_users_unless_told_otherwise():
    data = make_data()
    assert popular_scores(PopularityConfig(), data) == pytest.approx(data.popularity / data.popularity.max())


def test_popularity_weighs_kinds_ages_and_ratings_as_its_formula_says():
    data = make_data(explicit=True)
    config = PopularityConfig(weights={"purchase": 3.0}, rating_weight=0.5, rating_prior=4, half_life_days=30)
    events, counted, total, seen = data.events, np.zeros(40), np.zeros(40), np.zeros(40)
    for item, value, time, kind in zip(events.item, events.value, events.time, events.kind):
        counted[item] += (3 if kind == "purchase" else 1) * 2 ** -((events.time.max() - time) / DAY / 30)
        total[item] += value
        seen[item] += 1
    mean = (total + 4 * events.value.mean()) / (seen + 4)
    expected = counted / counted.max() + 0.5 * (mean - events.value.min()) / np.ptp(events.value)
    assert popular_scores(config, data) == pytest.approx(expected, abs=1e-5)


def test_popularity_takes_the_value_of_an_implicit_event_for_its_weight():
    data = make_data()
    doubled = dataclasses.replace(data.events, value=np.where(data.events.item == 3, 2, 1).astype(np.float32))
    scores = popular_scores(PopularityConfig(), dataclasses.replace(data, events=doubled))
    assert scores[3] / scores[5] == pytest.approx(2 * data.popularity[3] / data.popularity[5])


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (PopularityConfig(rating_weight=1), "needs ratings"),
        (PopularityConfig(weights={"sale": 2}), 'names "sale".*purchase, view'),
    ],
)
def test_popularity_says_what_the_data_lack(config, what):
    with pytest.raises(ConfigError, match=what):
        popular_scores(config, make_data())


def test_popularity_without_times_cannot_age():
    data = make_data()
    data = dataclasses.replace(data, events=dataclasses.replace(data.events, time=None))
    with pytest.raises(ConfigError, match="needs times"):
        popular_scores(PopularityConfig(half_life_days=1), data)


def test_popularity_predicts_an_items_mean_rating_drawn_to_the_mean_of_all():
    data = make_data(explicit=True)
    model = popularity.fit(PopularityConfig(rating_prior=2.0), data, options()).model
    mean = data.events.value.mean()
    own = [data.events.value[data.events.item == item] for item in range(40)]
    slow = [(values.sum() + 2 * mean) / (len(values) + 2) for values in own]
    assert model.ratings(np.zeros(40, dtype=np.int64), np.arange(40)) == pytest.approx(slow)
    assert (
        popularity.fit(PopularityConfig(), make_data(), options()).model.ratings(np.array([0]), np.array([0])) is None
    )


def test_shares_of_popularity_are_no_ratings():
    data = make_data(explicit=True)
    assert category.fit(CategoryConfig(), data, options()).model.ratings(np.array([0]), np.array([0])) is None


def test_a_random_order_is_each_users_own_and_the_same_each_time():
    data = make_data()
    model = random_order.fit(RandomConfig(), data, options(seed=5)).model
    history = sp.csr_matrix((3, 40), dtype=np.float32)
    scores = model.scores(np.array([4, -1, 4]), history)
    assert (scores[0] == scores[2]).all() and (scores[0] != scores[1]).any()
    assert (
        restored(random_order.FAMILY, RandomConfig(), data, model).scores(np.array([4]), history[:1]) == scores[0]
    ).all()
    served = model.served().scores(np.array([7]), history[:1])
    assert (served == scores[1]).all()


def test_lists_are_served_best_first_with_their_scores():
    data = make_data()
    model = popularity.fit(PopularityConfig(), data, options()).model
    serving = model.serving()
    listed = serving.lists["listed"]
    scores = serving.item["list_score"].values[:, 0]
    assert sorted(listed.tolist()) == list(range(40))
    assert (np.diff(scores[listed]) <= 0).all()
    again = restored(popularity.FAMILY, PopularityConfig(), data, model)
    assert (again.scores(np.array([0]), data.matrix[:1]) == scores).all()


def test_the_category_baseline_is_the_mixture_of_its_formula():
    data = make_data()
    model = category.fit(CategoryConfig(), data, options()).model
    names = ["even", "odd", "third"]
    share = np.array([[(name in own) / len(own) for name in names] for own in data.items.categories])
    met = data.popularity / data.popularity.sum()
    within = share * data.popularity[:, None]
    within = within / within.sum(axis=0)
    for user in (0, 7):
        own = share[data.matrix[user].indices].mean(axis=0)
        expected = within @ own + category.OVERALL * met
        assert model.scores(np.array([user]), data.matrix[user])[0] == pytest.approx(expected, abs=1e-6)
    nobody = model.scores(np.array([-1]), sp.csr_matrix((1, 40), dtype=np.float32))[0]
    assert nobody == pytest.approx(category.OVERALL * met, abs=1e-8)  # popular items


def test_only_the_largest_categories_are_told_apart():
    data = make_data()
    model = category.fit(CategoryConfig(max_categories=1), data, options()).model
    assert model.factors.items.shape == (40, 2)
    again = restored(category.FAMILY, CategoryConfig(max_categories=1), data, model)
    assert (again.scores(np.array([3]), data.matrix[3]) == model.scores(np.array([3]), data.matrix[3])).all()


def test_categories_that_are_not_there_are_asked_for():
    data = make_data()
    data = dataclasses.replace(data, items=dataclasses.replace(data.items, categories=None))
    with pytest.raises(ConfigError, match="needs categories"):
        category.fit(CategoryConfig(), data, options())


@pytest.mark.parametrize(
    ("name", "settings", "key"),
    [
        ("svd", {"iterations": 0}, "model.iterations"),
        ("ease", {"l2": 0.0}, "model.l2"),
        ("popularity", {"half_life_days": -1.0}, "model.half_life_days"),
        ("segments", {"most_clusters": 1}, "model.most_clusters"),
    ],
)
def test_a_hyperparameter_out_of_bounds_is_named(name, settings, key):
    with pytest.raises(ConfigError, match=key):
        find_family(name).config(**settings)
