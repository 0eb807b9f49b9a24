"""Intervals and paired differences."""

import numpy as np
import pytest

from rankd_train.evaluation.bootstrap import differences, draws, intervals
from rankd_train.evaluation.metrics import PerUser


def test_resamples_are_means_over_the_drawn_users():
    rng = np.random.default_rng(0)
    values, count = rng.random(40), rng.integers(1, 5, size=40)
    figures = {
        "ndcg@10": PerUser.mean(np.where(values < 0.2, np.nan, values)),
        "rmse": PerUser(values, count, root=True),
    }
    slow = {"ndcg@10": [], "rmse": []}
    for counts in np.concatenate(list(draws(40, 150, seed=1))):
        drawn = np.repeat(np.arange(40), counts.astype(int))
        slow["ndcg@10"].append(np.mean([values[user] for user in drawn if values[user] >= 0.2]))
        slow["rmse"].append(np.sqrt(values[drawn].sum() / count[drawn].sum()))
    for name, interval in intervals(figures, 150, seed=1).items():
        assert interval == pytest.approx(np.percentile(slow[name], [2.5, 97.5]))


def test_the_interval_is_about_that_of_the_normal_approximation():
    hits = np.random.default_rng(0).random(2_000) < 0.3
    low, high = intervals({"hr@10": PerUser.mean(hits.astype(float))}, 1_000, seed=0)["hr@10"]
    error = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 2_000)
    assert low == pytest.approx(hits.mean() - error, abs=error / 5)
    assert high == pytest.approx(hits.mean() + error, abs=error / 5)


def test_a_small_gain_on_the_same_users_is_seen_although_intervals_overlap():
    rng = np.random.default_rng(0)
    theirs = rng.random(500)
    ours = theirs + 0.01 + rng.normal(scale=0.02, size=500)
    figures, baseline = {"ndcg@10": PerUser.mean(ours)}, {"ndcg@10": PerUser.mean(theirs), "map": PerUser.mean(theirs)}
    alone, other = intervals(figures, 500, seed=0), intervals(baseline, 500, seed=0)
    assert alone["ndcg@10"][0] < other["ndcg@10"][1]
    got = differences(figures, baseline, 500, seed=0)
    assert list(got) == ["ndcg@10"]
    assert got["ndcg@10"]["significant"] and got["ndcg@10"]["difference"] == pytest.approx((ours - theirs).mean())
    same = differences(figures, figures, 500, seed=0)["ndcg@10"]
    assert not same["significant"] and same["interval"] == [0, 0]


def test_an_interval_of_some_users_sees_no_others():
    figure = PerUser.mean(np.array([0.0, 0.0, 1.0, 1.0]))
    some = np.array([False, False, True, True])
    assert intervals({"hr@10": figure}, 50, seed=0, users=some) == {"hr@10": [1.0, 1.0]}


def test_a_figure_that_applies_to_nobody_has_no_interval():
    assert intervals({"auc": PerUser.mean(np.full(3, np.nan))}, 20, seed=0) == {}
