"""Metrics against slow, obvious versions."""

import math

import numpy as np
import pytest

from rankd_train.evaluation.full_ranking import best_rows, rank_all, rank_of
from rankd_train.evaluation.leave_one_out import (
    Answers,
    bootstrap_interval,
    equal_opportunity,
    list_metrics,
    ranking_metrics,
)


def slow_metrics(lists: list[list[int]], targets: list[int], k: int) -> dict[str, float]:
    """One user at a time, relevance one item at a time."""
    hits, gains, precisions = [], [], []
    for items, target in zip(lists, targets):
        relevance = [1.0 if item == target else 0.0 for item in items[:k]]
        hits.append(sum(relevance))
        gains.append(sum(rel / math.log2(place + 2) for place, rel in enumerate(relevance)))
        precisions.append(sum(rel / (place + 1) for place, rel in enumerate(relevance)))
    count = len(targets)
    return {
        f"hr@{k}": sum(hits) / count,
        f"recall@{k}": sum(hits) / count,
        f"precision@{k}": sum(hits) / count / k,
        f"ndcg@{k}": sum(gains) / count,
        f"map@{k}": sum(precisions) / count,
        f"mrr@{k}": sum(precisions) / count,
    }


def test_metrics_match_the_slow_version():
    rng = np.random.default_rng(0)
    lists = [rng.permutation(30) for _ in range(200)]
    targets = rng.integers(0, 30, size=200)
    ranks = np.array([int(np.flatnonzero(items == target)[0]) for items, target in zip(lists, targets)])
    got = ranking_metrics(Answers(ranks, np.array(lists)[:, :10]), item_count=30, k=10)
    for name, value in slow_metrics([list(items) for items in lists], list(targets), 10).items():
        assert got[name] == pytest.approx(value), name
    assert got["ndcg@5"] == pytest.approx(slow_metrics([list(items) for items in lists], list(targets), 5)["ndcg@5"])
    assert got["coverage@10"] == 1.0


def test_ties_go_to_the_lower_row():
    scores = np.array([[1.0, 2.0, 2.0, 2.0, 0.0]], dtype=np.float32)
    assert [int(rank_of(scores, np.array([target]))[0]) for target in range(5)] == [3, 0, 1, 2, 4]
    assert best_rows(scores, 4).tolist() == [[1, 2, 3, 0]]


def test_full_ranking_leaves_training_items_out_and_nothing_else(data):
    train, test = data.split.train, data.split.test
    users = np.arange(train.shape[0])
    rng = np.random.default_rng(3)
    scores = rng.random(train.shape, dtype=np.float32)
    answers = rank_all(lambda asked, _: scores[asked], train, users, test, k=10, chunk=7)
    for user in users:
        allowed = [item for item in np.argsort(-scores[user]) if not train[user, item]]
        assert answers.top[user].tolist() == allowed[:10]
        assert answers.rank[user] == allowed.index(test[user])


def test_the_interval_holds_the_rate_and_narrows_with_users():
    rank = np.array([0, 99] * 50)
    low, high = bootstrap_interval(rank, 10, samples=500, seed=0)
    assert low < 0.5 < high
    wide = high - low
    low, high = bootstrap_interval(np.tile(rank, 100), 10, samples=500, seed=0)
    assert high - low < wide / 5


def test_list_metrics_match_all_pairs():
    rng = np.random.default_rng(0)
    content = rng.normal(size=(12, 4))
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    top = np.array([[0, 3, 5], [7, 8, 11], [1, 2, -1]])
    pairs = [1 - content[a] @ content[b] for row in top[:2] for a in row for b in row if a < b]
    got = list_metrics(top, np.arange(12, 0, -1), content)
    assert got["diversity"] == pytest.approx(np.mean(pairs))
    assert got["novelty"] == pytest.approx(np.mean(top[:2]) / 11)


def test_equal_opportunity_is_the_largest_difference():
    got = equal_opportunity(np.array([0, 0, 50, 0]), np.array(["a", "a", "b", "b"]))
    assert got == {"a": 1.0, "b": 0.5, "difference": 0.5}
