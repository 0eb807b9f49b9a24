"""Negatives are what the user did not meet, in the shares that were asked for."""

import numpy as np
import pytest
import scipy.sparse as sp

from rankd_train.data.sampling import NegativeSampler, in_batch, mask_features, mask_histories, popularity_weights
from rankd_train.errors import DataError


@pytest.fixture
def met() -> sp.csr_matrix:
    dense = np.random.default_rng(3).random((20, 30)) < 0.4
    dense[5] = True
    dense[5, 7] = False  # has met all but one
    dense[6] = False
    return sp.csr_matrix(dense.astype(np.float32))


@pytest.mark.parametrize("weighted", [False, True])
def test_no_negative_is_an_item_that_the_user_met(met, weighted):
    weights = popularity_weights(np.asarray(met.sum(axis=0)).ravel() + 1) if weighted else None
    users = np.repeat(np.arange(20), 50)
    drawn = NegativeSampler(met, weights).draw(users, np.random.default_rng(0), ratio=3)
    assert drawn.shape == (1000, 3)
    assert not met.toarray()[users[:, None], drawn].any()
    assert (drawn[users == 5] == 7).all()


@pytest.mark.parametrize("exponent", [None, 0.75, 1.0])
def test_negatives_have_the_shares_of_their_weights_among_what_was_not_met(met, exponent):
    popularity = np.arange(30.0)
    weights = None if exponent is None else popularity_weights(popularity, exponent)
    drawn = NegativeSampler(met, weights).draw(np.full(20_000, 2), np.random.default_rng(0))
    expected = np.ones(30) if weights is None else weights.copy()
    expected[met[2].indices] = 0
    expected /= expected.sum()
    found = np.bincount(drawn.ravel(), minlength=30) / drawn.size
    assert np.abs(found - expected).max() < 5 * np.sqrt(expected.max() / drawn.size)


def test_negatives_are_the_same_for_the_same_seed(met):
    sampler = NegativeSampler(met)
    first, second = (sampler.draw(np.arange(20), np.random.default_rng(9)) for _ in range(2))
    assert (first == second).all()


def test_a_user_who_met_everything_has_no_negative():
    with pytest.raises(DataError, match=r"user number 1 has met every item.*outlier_events"):
        NegativeSampler(sp.csr_matrix(np.array([[1, 0], [1, 1]]))).draw(np.array([0, 1]), np.random.default_rng(0))


def test_users_without_any_event_get_negatives():
    drawn = NegativeSampler(sp.csr_matrix((2, 5))).draw(np.array([0, 1]), np.random.default_rng(0))
    assert drawn.min() >= 0 and drawn.max() < 5


def test_in_batch_negatives_leave_out_what_the_row_s_user_met(met):
    users, items = met[:4].nonzero()
    popularity = np.asarray(met.sum(axis=0)).ravel()
    batch = in_batch(users.astype(np.int64), items.astype(np.int64), NegativeSampler(met), popularity)
    dense = met.toarray()
    for row, user in enumerate(users):
        for column, item in enumerate(items):
            excluded = row != column and (dense[user, item] > 0 or items[row] == item)
            assert batch.excluded[row, column] == excluded
    assert np.allclose(np.exp(batch.log_q), popularity[items] / popularity.sum())


def test_masking_hides_a_tenth_of_the_histories_and_nothing_else(met):
    big = sp.csr_matrix(np.ones((200, 100), dtype=np.float32))
    masked = mask_histories(big, np.random.default_rng(0))
    assert masked.shape == big.shape
    assert 0.89 < masked.nnz / big.nnz < 0.91
    assert mask_histories(met, np.random.default_rng(0), share=0.0).nnz == met.nnz
    assert set(zip(*mask_histories(met, np.random.default_rng(0), 0.5).nonzero())) < set(zip(*met.nonzero()))


def test_masked_features_take_the_default_of_their_column():
    values, defaults = np.full((500, 2), 0.9, dtype=np.float32), np.array([0.5, 0.0])
    masked = mask_features(values, defaults, np.random.default_rng(0), share=0.1)
    assert masked.dtype == np.float32
    assert set(np.unique(masked[:, 0]).tolist()) == {0.5, np.float32(0.9)}
    assert 0.05 < (masked[:, 1] == 0).mean() < 0.15
