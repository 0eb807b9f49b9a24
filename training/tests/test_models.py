"""Closed forms against brute force, losses against their definition, masking, and what the networks promise."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from classic_world import make_data

from rankd_train.data.histories import Histories
from rankd_train.losses import binary_cross_entropy, mask_users, sampled_softmax_loss
from rankd_train.models.content import ContentConfig, embed_texts
from rankd_train.models.ease import ease_weights
from rankd_train.models.item_knn import cosine_weights
from rankd_train.models.neighbours import NO_NEIGHBOUR, strongest
from rankd_train.models.two_stage.config import RankerConfig, TowerConfig
from rankd_train.models.two_stage.network import HybridRanker
from rankd_train.models.two_stage.ranker import normalised_popularity
from rankd_train.models.two_stage.towers import UserTower
from rankd_train.quantise import as_f16, as_i8


def test_ease_is_the_ridge_regression_of_each_item_on_all_others():
    """The zero diagonal makes every column an independent regression: solved here one by one."""
    train = make_data().matrix
    dense = train.toarray().astype(np.float64)
    l2 = 3.0
    weights = ease_weights(train, l2)
    for item in range(0, dense.shape[1], 7):
        others = np.delete(np.arange(dense.shape[1]), item)
        features = dense[:, others]
        column = np.linalg.solve(features.T @ features + l2 * np.eye(len(others)), features.T @ dense[:, item])
        assert weights[others, item] == pytest.approx(column, abs=1e-5)
        assert weights[item, item] == 0


def test_cosine_weights_match_the_definition():
    dense = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=np.float32)
    weights = cosine_weights(sp.csr_matrix(dense)).toarray()
    for a in range(3):
        for b in range(3):
            expected = 0 if a == b else dense[:, a] @ dense[:, b] / np.sqrt(dense[:, a].sum() * dense[:, b].sum())
            assert weights[a, b] == pytest.approx(expected)


def test_the_strongest_neighbours_keep_sign_and_pad_with_none():
    weights = np.array([[0.0, 0.5, -0.9, 0.1], [0.0, 0.0, 0.0, 0.3]], dtype=np.float32)
    kept = strongest(weights, 2)
    assert kept.rows[0].tolist() == [1, 2]
    assert kept.weights[0].tolist() == pytest.approx([0.5, -0.9], abs=4e-3)
    assert sorted(kept.rows[1].tolist()) == [3, NO_NEIGHBOUR]


def test_the_sampled_softmax_of_every_item_is_the_softmax():
    """Each item drawn once and expected once: the correction is zero, and the target counts twice without its hit."""
    torch.manual_seed(0)
    logits = torch.randn(2, 9)
    targets = Histories(torch.tensor([0, 0, 1]), torch.tensor([3, 5, 8]), 2)
    positive = logits[targets.user, targets.item]
    # Leaving the target out of the negatives gives the plain softmax: done here for users with one target.
    single = Histories(torch.tensor([1]), torch.tensor([8]), 2)
    got = sampled_softmax_loss(positive[2:], logits[:, :8], torch.ones(8), single)
    assert got == pytest.approx(float(F.cross_entropy(logits[1:], torch.tensor([8]))), abs=1e-6)
    both = sampled_softmax_loss(positive, logits, torch.ones(9), targets)
    by_hand = [
        float(torch.logaddexp(logits[u].logsumexp(0), logits[u, i]) - logits[u, i]) for u, i in ((0, 3), (0, 5), (1, 8))
    ]
    assert both == pytest.approx((np.mean(by_hand[:2]) + by_hand[2]) / 2, abs=1e-6)


def test_the_correction_undoes_popular_sampling():
    torch.manual_seed(0)
    logits = torch.randn(1, 50)
    frequency = torch.softmax(torch.randn(50), 0)
    drawn = torch.multinomial(frequency, 200_000, replacement=True)
    estimate = torch.logsumexp(logits[:, drawn] - torch.log(len(drawn) * frequency[drawn]), dim=1)
    assert float(estimate) == pytest.approx(float(logits.logsumexp(1)), abs=0.02)


def test_binary_cross_entropy_matches_its_definition():
    logits, labels = torch.tensor([0.3, -2.0, 40.0]), torch.tensor([1.0, 0.0, 1.0])
    p = torch.sigmoid(logits.double())
    expected = -(labels * p.log() + (1 - labels) * (1 - p).log()).nan_to_num().mean()
    assert float(binary_cross_entropy(logits, labels)) == pytest.approx(float(expected), abs=1e-6)


def test_masking_turns_the_share_it_promises_into_the_unknown_user():
    rows = torch.arange(1, 20_001)
    masked = mask_users(rows, 0.3, torch.Generator().manual_seed(0))
    assert float((masked == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert (masked[masked > 0] == rows[masked > 0]).all()


def test_a_split_history_adds_up():
    items = Histories.of(make_data().matrix)
    shown, targets = items.split(0.3, 0.9, torch.Generator().manual_seed(0))
    together = {*zip(shown.user.tolist(), shown.item.tolist()), *zip(targets.user.tolist(), targets.item.tolist())}
    assert together == set(zip(items.user.tolist(), items.item.tolist()))
    assert len(shown.item) + len(targets.item) == len(items.item)


def test_pooling_matches_a_loop():
    train = make_data().matrix[:10]
    rows = torch.randn(train.shape[1], 4)
    got = Histories.of(train).mean_of(rows)
    for user in range(10):
        own = train.indices[train.indptr[user] : train.indptr[user + 1]]
        assert torch.allclose(got[user], rows[torch.from_numpy(own.astype(np.int64))].mean(dim=0), atol=1e-6)
    empty = Histories(torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long), 1)
    assert empty.mean_of(rows).tolist() == [[0.0] * 4]


def test_the_user_tower_gives_unit_vectors_also_to_nobody():
    tower = UserTower(TowerConfig(dim=8, user_dim=4, hidden=16), content_dim=5).eval()
    vectors = tower(torch.randn(3, 4), torch.zeros(3, 5), torch.zeros(3, 8), torch.zeros(3, 1))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-6)


def test_the_split_first_layer_equals_the_whole_one():
    """Several users in one run get what each gets alone."""
    torch.manual_seed(0)
    config = RankerConfig(embedding_dim=6, content_units=8, fusion_units=(16, 8, 4), category_dim=3)
    ranker = HybridRanker(config, content_dim=5).eval()
    e, s = config.embedding_dim, config.category_dim + 1
    users = [torch.randn(3, width) for width in (e, 5, e, 5, s)] + [torch.tensor([[1.0], [4.0], [0.0]])]
    row_user = torch.tensor([0, 2, 2, 1])
    items = [torch.randn(4, width) for width in (e, 5, s)] + [torch.rand(4, 2)]
    together = ranker(*users, row_user, *items)
    for n, user in enumerate(row_user.tolist()):
        alone = ranker(*(x[user : user + 1] for x in users), torch.tensor([0]), *(x[n : n + 1] for x in items))
        assert torch.allclose(together[n : n + 1], alone, atol=1e-6)


def test_texts_that_share_words_are_near():
    texts = ("red apple fruit", "red apple tree", "fast car engine", "car engine oil") * 5
    vectors = embed_texts(texts, ContentConfig(dim=2, min_texts_per_term=1, max_share=1.0), seed=0)
    assert vectors[0] @ vectors[1] > 0.9
    assert abs(vectors[0] @ vectors[2]) < 0.3


def test_popularity_is_normalised_to_one():
    values = normalised_popularity(np.array([100, 3, 0]))
    assert values.ravel().tolist() == pytest.approx([1.0, np.log(4) / np.log(101), 0.0])


def test_narrowing_is_idempotent_and_close():
    values = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    values[3] = 0
    for narrow, error in ((as_f16, 2e-3), (as_i8, 2e-2)):
        once = narrow(values)
        assert np.abs(once - values).max() < error
        assert narrow(once) == pytest.approx(once, abs=1e-6)
