"""Non-negative factors: masked updates against a dense version, and a missing rating is never a zero."""

import dataclasses

import numpy as np
import pytest
from classic_world import make_data, options, restored

from rankd_train.errors import ConfigError
from rankd_train.models import masked_nmf as masked
from rankd_train.models import nmf
from rankd_train.models.masked_nmf import masked_nmf
from rankd_train.models.nmf import NmfConfig
from rankd_train.models.observed import Ratings
from rankd_train.models.recommender import UNKNOWN


def test_masked_updates_equal_the_dense_ones_and_the_objective_falls():
    ratings = Ratings.of(make_data(users=30, items=20, explicit=True))
    mask = np.zeros(ratings.shape)
    mask[ratings.user, ratings.item] = 1
    given = ratings.matrix().toarray()
    w, h = masked.start(ratings, 3, seed=0)
    objectives = []
    for users, items in masked_nmf(ratings, 3, 0.7, iterations=10, seed=0):
        w = w * (given @ h) / np.maximum((mask * (w @ h.T)) @ h + 0.7 * w, 1e-300)
        h = h * (given.T @ w) / np.maximum((mask * (w @ h.T)).T @ w + 0.7 * h, 1e-300)
        assert users == pytest.approx(w) and items == pytest.approx(h)
        error = mask * (given - users @ items.T)
        objectives.append(0.5 * (error**2).sum() + 0.35 * ((users**2).sum() + (items**2).sum()))
    assert (np.diff(objectives) < 0).all()
    assert users.min() >= 0 and items.min() >= 0


def test_a_missing_rating_is_not_a_zero():
    """Everyone rates a third of the items, always with 4: missing ratings as zeros would predict about 4/3."""
    data = make_data(users=50, items=30, explicit=True)
    events = dataclasses.replace(data.events, value=np.full(len(data.events), 4, dtype=np.float32))
    data = dataclasses.replace(data, events=events)
    model = nmf.fit(NmfConfig(factors=3, l2=0.1, iterations=100), data, options()).model
    every = model.factors.users[1:] @ model.factors.items.T
    assert np.abs(every - 4).mean() < 0.1
    nobody, nothing = every[-1], every[:, -1]  # who and what was never rated
    assert np.abs(np.r_[nobody, nothing] - 4).mean() < 0.2


def test_validation_chooses_the_iterations_of_the_next_fit():
    data = make_data(users=60, items=40, explicit=True)
    held = np.random.default_rng(0).random(len(data.events)) < 0.3
    train = dataclasses.replace(data, events=data.events.where(~held), validation=data.events.where(held))
    config = NmfConfig(factors=8, l2=0.0, iterations=80)
    fitted = nmf.fit(config, train, options())
    errors = [row["validation_rmse"] for row in fitted.history]
    assert fitted.choices == {"iterations": int(np.argmin(errors)) + 1}
    again = nmf.fit(
        config, dataclasses.replace(data, validation=None), dataclasses.replace(options(), choices=fitted.choices)
    )
    assert len(again.history) == fitted.choices["iterations"]


def test_negative_ratings_are_refused():
    data = make_data(explicit=True)
    events = dataclasses.replace(data.events, value=data.events.value - 3)
    with pytest.raises(ConfigError, match=r"at least 0, and the lowest is -1\.5"):
        nmf.fit(NmfConfig(), dataclasses.replace(data, events=events), options())


def test_implicit_nmf_tells_the_two_tastes_apart():
    data = make_data()
    model = nmf.fit(NmfConfig(factors=2, l2=0.01), data, options()).model
    assert model.factors.items.min() >= 0
    for users in (np.arange(20), np.full(20, UNKNOWN)):
        scores = model.scores(users, data.matrix[:20])
        own = np.arange(39) % 2 == np.arange(20)[:, None] % 2
        assert (scores[:, :39][own].mean()) > 2 * scores[:, :39][~own].mean()


@pytest.mark.parametrize("explicit", [False, True])
def test_nmf_comes_back_from_its_state(explicit):
    data = make_data(explicit=explicit)
    config = NmfConfig(factors=3, iterations=5)
    model = nmf.fit(config, data, options()).model
    again = restored(nmf.FAMILY, config, data, model)
    users = np.array([2, UNKNOWN])
    assert (again.scores(users, data.matrix[2:4]) == model.scores(users, data.matrix[2:4])).all()
