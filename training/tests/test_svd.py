"""Biases, Soft-Impute and PureSVD; and the fold-in that all factorisations share."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from classic_world import make_data, options, restored

from rankd_train.data.interactions import Events
from rankd_train.errors import ConfigError
from rankd_train.models import svd
from rankd_train.models.factors import FoldIn, learned_fold
from rankd_train.models.observed import Biases, Ratings, fit_biases
from rankd_train.models.recommender import UNKNOWN
from rankd_train.models.soft_impute import soft_impute
from rankd_train.models.svd import SvdConfig


def test_a_pair_rated_twice_has_the_mean_and_a_rating_of_zero_is_one():
    data = make_data(explicit=True)
    events = Events(np.array([0, 0, 1]), np.array([2, 2, 3]), np.array([1.0, 4.0, 0.0], dtype=np.float32))
    ratings = Ratings.of(dataclasses.replace(data, events=events))
    assert ratings.value.tolist() == [2.5, 0.0]
    matrix = ratings.matrix()
    assert (matrix.nnz, matrix[0, 2], matrix.shape) == (2, 2.5, data.shape)


def test_biases_converge_to_ridge_regression():
    data = make_data(explicit=True)
    ratings = Ratings.of(data)
    got = fit_biases(ratings, 3.0, 2.0, sweeps=200)
    users, items = data.shape
    design = np.zeros((len(ratings.value), users + items))
    design[np.arange(len(design)), ratings.user] = 1
    design[np.arange(len(design)), users + ratings.item] = 1
    ridge = np.diag(np.r_[np.full(users, 3.0), np.full(items, 2.0)])
    expected = np.linalg.solve(design.T @ design + ridge, design.T @ (ratings.value - ratings.value.mean()))
    assert np.r_[got.user, got.item] == pytest.approx(expected, abs=1e-6)


def test_soft_impute_equals_the_dense_algorithm_and_its_objective_falls():
    ratings = Ratings.of(make_data(users=30, items=20, explicit=True))
    rest = dataclasses.replace(ratings, value=ratings.value - ratings.value.mean())
    observed = np.zeros(rest.shape, dtype=bool)
    observed[rest.user, rest.item] = True
    dense, given, objectives = np.zeros(rest.shape), rest.matrix().toarray(), []
    for low in soft_impute(rest, rank=19, shrink=2.0, iterations=12, seed=0):
        left, values, right = np.linalg.svd(np.where(observed, given, dense), full_matrices=False)
        dense = (left * np.maximum(values - 2.0, 0)) @ right
        users, items = low.halves()
        assert users @ items.T == pytest.approx(dense, abs=1e-8)
        error = rest.value - rest.predicted(users, items)
        objectives.append(0.5 * error @ error + 2.0 * low.values.sum())
    assert (np.diff(objectives) < 0).all()


def test_svd_predicts_ratings_better_than_biases_do():
    data = make_data(users=120, items=60, explicit=True)
    held = np.random.default_rng(0).random(len(data.events)) < 0.2
    test, train = data.events.where(held), dataclasses.replace(data, events=data.events.where(~held))
    model = svd.fit(SvdConfig(factors=10, shrink=4.0), train, options()).model
    ratings = Ratings.of(dataclasses.replace(data, events=test))
    biases = fit_biases(Ratings.of(train), 5.0, 5.0).of(ratings)
    error = np.sqrt(np.mean((model.ratings(ratings.user, ratings.item) - ratings.value) ** 2))
    assert error < 0.75 * np.sqrt(np.mean((biases - ratings.value) ** 2))


def test_who_and_what_was_never_rated_has_the_biases_that_are_known():
    data = make_data(explicit=True)
    model = svd.fit(SvdConfig(factors=5, shrink=3.0), data, options()).model
    biases = fit_biases(Ratings.of(data), 5.0, 5.0)
    nobody, nothing = len(data.users.ids) - 1, len(data.items.ids) - 1
    got = model.ratings(np.array([nobody, UNKNOWN, 0, nobody]), np.array([4, 4, nothing, nothing]))
    expected = [biases.mean + biases.item[4]] * 2 + [biases.mean + biases.user[0], biases.mean]
    assert got == pytest.approx(expected, abs=1e-4)


def test_pure_svd_equals_the_dense_decomposition_for_known_and_unknown_users():
    data = make_data()
    model = svd.fit(SvdConfig(factors=4), data, options()).model
    dense = data.matrix.toarray()
    right = np.linalg.svd(dense)[2][:4]
    expected = dense @ right.T @ right
    for users in (np.arange(len(dense)), np.full(len(dense), UNKNOWN)):
        assert model.scores(users, data.matrix) == pytest.approx(expected, abs=1e-5)
    assert model.ratings(np.array([0]), np.array([0])) is None


@pytest.mark.parametrize("explicit", [False, True])
def test_svd_comes_back_from_its_state(explicit):
    data = make_data(explicit=explicit)
    config = SvdConfig(factors=4, shrink=2.0, iterations=5)
    model = svd.fit(config, data, options()).model
    again = restored(svd.FAMILY, config, data, model)
    users = np.array([2, UNKNOWN])
    assert (again.scores(users, data.matrix[2:4]) == model.scores(users, data.matrix[2:4])).all()
    assert (again.factors.similar == model.factors.similar).all()


def test_a_fold_in_pools_by_its_formula():
    rng = np.random.default_rng(0)
    rows, base, growth = rng.random((6, 3)), rng.random(3), rng.random(3)
    history = sp.csr_matrix(np.array([[1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]]))
    got = FoldIn(rows.astype(np.float32), base.astype(np.float32), growth.astype(np.float32)).vectors(history)
    assert got[0] == pytest.approx((rows[0] + rows[2] + rows[3]) / (base + 3 * growth), rel=1e-5)
    assert got[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("mean", [False, True])
def test_a_learned_fold_finds_a_linear_map(mean):
    rng = np.random.default_rng(0)
    history = sp.csr_matrix((rng.random((200, 30)) < 0.3).astype(np.float32))
    items, mapping = rng.normal(size=(30, 4)), rng.normal(size=(4, 3))
    pooled = history @ items / (np.diff(history.indptr)[:, None] if mean else 1)
    got = learned_fold(pooled @ mapping, items, history, mean).vectors(history)
    assert np.corrcoef(got.ravel(), (pooled @ mapping).ravel())[0, 1] > 0.999


def test_the_user_graph_and_the_scorer_compute_what_scores_does():
    torch = pytest.importorskip("torch")
    data = make_data(explicit=True)
    model = svd.fit(SvdConfig(factors=4, shrink=2.0, iterations=5), data, options()).model
    serving, users = model.serving(), np.array([5, UNKNOWN])
    history = data.matrix[[7, 9]]  # not the histories these users were trained on
    inputs = (
        torch.from_numpy(serving.user["offset"].values[users + 1]),
        torch.from_numpy(history @ serving.item["fold"].values),
        torch.from_numpy(np.diff(history.indptr).astype(np.float32)[:, None]),
    )
    vectors = serving.graphs["user"].module(*inputs).numpy()
    expected = model.scores(users, history)
    assert vectors @ serving.indexes["factors"].vectors.T == pytest.approx(expected, abs=1e-5)
    row_user, item = np.array([1, 0, 0]), np.array([3, 8, 3])
    rows = torch.from_numpy(serving.item["factors"].values[item])
    scored = serving.graphs["scorer"].module(*inputs, torch.from_numpy(row_user), rows)
    assert scored.numpy() == pytest.approx(expected[row_user, item], abs=1e-5)


def test_one_user_is_too_few_to_factorise():
    data = make_data()
    with pytest.raises(ConfigError, match="2 users and 2 items, got 1 and 40"):
        svd.fit(SvdConfig(), dataclasses.replace(data, users=type(data.users)(ids=("one",))), options())


def test_biases_without_regularisation_do_not_divide_by_nothing():
    biases = fit_biases(Ratings.of(make_data(explicit=True)), 0.0, 0.0)
    assert isinstance(biases, Biases) and np.isfinite(biases.item).all() and biases.user[-1] == 0
