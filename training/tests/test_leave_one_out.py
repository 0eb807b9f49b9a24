"""Leave-one-out with nothing but ranks against lists, one user at a time."""

import math

import numpy as np
import pytest

from rankd_train.evaluation.full_ranking import best_rows, rank_all, rank_of
from rankd_train.evaluation.leave_one_out import Answers
from rankd_train.evaluation.metrics import PerUser, ranking_figures
from rankd_train.evaluation.package_report import by_group


def test_known_ranks_give_the_figures_of_the_lists_they_are_from():
    rng = np.random.default_rng(0)
    lists, targets = [rng.permutation(30) for _ in range(200)], rng.integers(0, 30, size=200)
    ranks = np.array([int(np.flatnonzero(items == target)[0]) for items, target in zip(lists, targets)])
    figures = ranking_figures(Answers(ranks, np.array(lists)[:, :10]).rankings(targets, 30), (5, 10))
    for user, rank in enumerate(ranks):
        for k in (5, 10):
            assert figures[f"hr@{k}"].total[user] == figures[f"recall@{k}"].total[user] == (rank < k)
            assert figures[f"ndcg@{k}"].total[user] == pytest.approx((rank < k) / math.log2(rank + 2))
            assert figures[f"map@{k}"].total[user] == pytest.approx((rank < k) / (rank + 1))


def test_what_was_not_retrieved_is_no_hit():
    never = np.iinfo(np.int64).max
    answers = Answers(np.array([0, never]), np.array([[4, 2], [1, -1]]))
    figures = ranking_figures(answers.rankings(np.array([4, 3]), 5), (2,))
    assert figures["hr@2"].total.tolist() == figures["mrr"].total.tolist() == [1, 0]


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


def test_hit_rates_by_group_and_their_largest_difference():
    hits = PerUser.mean(np.array([1.0, 1.0, 0.0, 1.0]))
    assert by_group(hits, np.array(["a", "a", "b", "b"])) == {"a": 1.0, "b": 0.5, "difference": 0.5}
