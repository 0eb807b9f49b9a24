"""Item-kNN and EASE against slow obvious versions."""

import numpy as np
import pytest
import scipy.sparse as sp
from classic_world import make_data, options, restored

from rankd_train.errors import ConfigError
from rankd_train.models import ease, gf_cf, item_knn, neighbours
from rankd_train.models.ease import EaseConfig, ease_weights
from rankd_train.models.gf_cf import GfCfConfig
from rankd_train.models.item_knn import ItemKnnConfig
from rankd_train.models.neighbours import NO_NEIGHBOUR, strongest
from rankd_train.models.serving_graphs import candidate_count
from rankd_train.quantise import as_f16


@pytest.mark.parametrize("user_idf", [False, True])
def test_item_knn_sums_the_similarities_of_those_nearest_to_the_candidate(user_idf):
    data = make_data()
    config = ItemKnnConfig(neighbours=5, shrink=2.0, user_idf=user_idf)
    model = item_knn.fit(config, data, options()).model
    dense = data.matrix.toarray().astype(np.float64)
    items = dense.shape[1]
    weight = [np.log(items / max(row.sum(), 1)) if user_idf else 1.0 for row in dense]
    dense_of = dense * np.array(weight)[:, None]
    similar = np.zeros((items, items))
    for a in range(items):
        for b in range(items):
            lengths = np.linalg.norm(dense_of[:, a]) * np.linalg.norm(dense_of[:, b])
            similar[a, b] = 0 if a == b else dense_of[:, a] @ dense_of[:, b] / (lengths + 2)
    for candidate in range(items):
        similar[np.argsort(-similar[:, candidate], kind="stable")[5:], candidate] = 0
    scores = model.scores(np.arange(10), data.matrix[:10])
    # Equally similar neighbours at the edge of a list are kept in any order: few, and each of little weight.
    assert np.mean(np.abs(scores - dense[:10] @ similar) < 5e-3) > 0.9
    assert (model.scores(np.arange(3), data.matrix[:3]) == model.served().scores(np.arange(3), data.matrix[:3])).all()


def test_ease_equals_the_formula_with_a_generic_inverse(monkeypatch):
    monkeypatch.setattr(ease, "BLOCK", 7)  # so that 40 items are several blocks and a rest
    data = make_data()
    dense = data.matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + 3.0 * np.eye(dense.shape[1]))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    weights = ease_weights(data.matrix, 3.0)
    assert weights.flags.c_contiguous and weights.dtype == np.float32
    assert weights == pytest.approx(expected, abs=1e-5)


def test_ease_names_the_cure_when_the_catalogue_is_too_large():
    with pytest.raises(ConfigError, match=r"46,341 items.*min_events_per_item"):
        ease_weights(sp.csr_matrix((2, 46_341), dtype=np.float32), 1.0)


@pytest.mark.parametrize("kept", [0, 12])
def test_ease_comes_back_from_its_state(kept):
    data = make_data()
    config = EaseConfig(l2=3.0, neighbours=8, kept=kept)
    model = ease.fit(config, data, options()).model
    again = restored(ease.FAMILY, config, data, model)
    users = np.array([2, -1])
    assert (again.scores(users, data.matrix[2:4]) == model.scores(users, data.matrix[2:4])).all()


def test_the_served_form_is_the_strongest_weights_of_each_item():
    data = make_data()
    model = ease.fit(EaseConfig(l2=3.0, neighbours=8), data, options()).model
    cut = np.zeros_like(model.weights)
    for item, row in enumerate(model.weights):
        best = np.argsort(-np.abs(row))[:8]
        cut[item, best] = as_f16(row[best])
    history = data.matrix[:5]
    served = model.served()
    assert served.scores(np.arange(5), history) == pytest.approx(history @ cut, abs=1e-5)
    columns = served.serving().item
    assert (columns["neighbour_rows"].values == model.serving().item["neighbour_rows"].values).all()


def test_strongest_is_the_same_by_blocks_and_at_once(monkeypatch):
    weights = np.random.default_rng(0).normal(size=(25, 25)).astype(np.float32)
    at_once = strongest(weights, 6)
    monkeypatch.setattr(neighbours, "BLOCK", 4)
    for form in (weights, sp.csr_matrix(weights)):
        by_blocks = strongest(form, 6)
        assert (by_blocks.rows == at_once.rows).all() and (by_blocks.weights == at_once.weights).all()


def test_a_catalogue_of_one_item_has_no_neighbours():
    kept = strongest(np.ones((1, 1), dtype=np.float32), 5)
    assert kept.rows.tolist() == [[NO_NEIGHBOUR]]
    assert kept.matrix().nnz == 0


def test_gf_cf_equals_its_formula_with_dense_matrices():
    data = make_data()
    config = GfCfConfig(dimensions=6, alpha=0.3, neighbours=40)
    model = gf_cf.fit(config, data, options()).model
    dense = data.matrix.toarray().astype(np.float64)
    degree = dense.sum(axis=0)
    root = np.sqrt(np.maximum(degree, 1))
    normal = dense / np.sqrt(np.maximum(dense.sum(axis=1), 1))[:, None] / root
    right = np.linalg.svd(normal)[2][:6]
    low_pass = np.diag(1 / root) @ right.T @ right @ np.diag(np.sqrt(degree))
    expected = dense @ normal.T @ normal + 0.3 * dense @ low_pass
    assert model.scores(np.arange(60), data.matrix) == pytest.approx(expected, abs=1e-5)


def test_gf_cf_is_served_as_weights_between_items(monkeypatch):
    monkeypatch.setattr(gf_cf, "BLOCK", 9)
    data = make_data()
    config = GfCfConfig(dimensions=6, neighbours=40)
    model = gf_cf.fit(config, data, options()).model
    whole, served = (form.scores(np.arange(60), data.matrix) for form in (model, model.served()))
    unseen = data.matrix.toarray() == 0  # items of the history lose their weight to themselves
    assert served[unseen] == pytest.approx(whole[unseen], abs=2e-3)
    again = restored(gf_cf.FAMILY, config, data, model)
    assert (again.scores(np.arange(3), data.matrix[:3]) == whole[:3]).all()


def test_a_source_retrieves_enough_to_lose_a_long_history():
    data = make_data(users=30, items=400)
    lengths = np.sort(np.diff(data.matrix.indptr))
    assert candidate_count(data) >= 100 + lengths[-2]
    assert candidate_count(make_data()) == 40  # no more than there are
