"""ALS of implicit data against a dense reference, ALS-WR against its normal equations."""

import dataclasses

import numpy as np
import pytest
from classic_world import make_data, options, restored

from rankd_train.models import als
from rankd_train.models.als import AlsConfig, solve_rows
from rankd_train.models.factors import FactorModel
from rankd_train.models.observed import Ratings
from rankd_train.models.recommender import UNKNOWN

CONFIG = AlsConfig(factors=6, l2=0.5, alpha=4.0, iterations=30)


def dense_solution(confidence: np.ndarray, others: np.ndarray, l2: float) -> np.ndarray:
    """Hu et al., equation 4, one user after the other. confidence: [U, I], 1 where nothing was met."""
    rows = []
    for c in confidence:
        gram = others.T @ np.diag(c) @ others + l2 * np.eye(others.shape[1])
        rows.append(np.linalg.solve(gram, others.T @ (c * (c > 1))))
    return np.array(rows)


def test_implicit_als_solves_the_equations_of_the_paper():
    """Weights differ between events, so that the meaning of alpha is part of the test."""
    data = make_data()
    values = np.random.default_rng(0).integers(1, 4, size=len(data.events)).astype(np.float32)
    data = dataclasses.replace(data, events=dataclasses.replace(data.events, value=values))
    fitted = als.fit(CONFIG, data, options()).model
    confidence = 1 + 4.0 * data.events.matrix(data.shape).toarray()
    items = fitted.factors.similar.astype(np.float64)  # before the change of basis
    users = dense_solution(confidence, items, 0.5)
    assert fitted.factors.users[1:] @ fitted.factors.items.T == pytest.approx(users @ items.T, abs=2e-3)
    again = dense_solution(confidence.T, users, 0.5)
    assert users @ again.T == pytest.approx(users @ items.T, abs=0.03)  # converged: items solve theirs, too


def test_a_users_own_history_folds_in_close_to_its_factors():
    data = make_data(users=200)
    model = als.fit(CONFIG, data, options()).model
    known = model.scores(np.arange(100), data.matrix[:100])
    folded = model.scores(np.full(100, UNKNOWN), data.matrix[:100])
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(known, folded)]
    assert np.median(alike) > 0.95
    assert known == pytest.approx(model.factors.users[1:101] @ model.factors.items.T, abs=1e-4)


def test_als_wr_solves_each_row_over_its_ratings_alone():
    ratings = Ratings.of(make_data(explicit=True))
    others = np.random.default_rng(0).normal(size=(40, 3))
    got = solve_rows(ratings.matrix(), others, 0.2)
    for user in (0, 11):
        mine = ratings.user == user
        met = others[ratings.item[mine]]
        expected = np.linalg.inv(met.T @ met + 0.2 * mine.sum() * np.eye(3)) @ met.T @ ratings.value[mine]
        assert got[user] == pytest.approx(expected)
    assert (got[-1] == 0).all()  # who rated nothing


def test_als_of_ratings_fits_them_and_tells_how_far_it_is():
    data = make_data(explicit=True)
    fitted = als.fit(AlsConfig(factors=4, rating_l2=0.05, iterations=8), data, options())
    errors = [row["train_rmse"] for row in fitted.history]
    assert errors[-1] < errors[0] and len(errors) == 8
    events = data.events
    predicted = fitted.model.ratings(events.user, events.item)
    assert np.sqrt(np.mean((predicted - events.value) ** 2)) < 1.2 * errors[-1]


@pytest.mark.parametrize("explicit", [False, True])
def test_als_comes_back_from_its_state(explicit):
    data = make_data(explicit=explicit)
    config = AlsConfig(factors=4, iterations=3)
    model = als.fit(config, data, options()).model
    again = restored(als.FAMILY, config, data, model)
    assert isinstance(again, FactorModel)
    users = np.array([2, UNKNOWN])
    assert (again.scores(users, data.matrix[2:4]) == model.scores(users, data.matrix[2:4])).all()
    assert (again.factors.fold.rows is again.factors.items) == (not explicit)  # one table where one is enough


def test_the_seed_makes_the_fit():
    data = make_data()
    scores = [als.fit(CONFIG, data, options(seed)).model.factors.items for seed in (0, 0, 1)]
    assert (scores[0] == scores[1]).all() and (scores[0] != scores[2]).any()
