"""Every metric against a slow, obvious version, and against scikit-learn where it defines it."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from evaluation_world import FixedScores, events_of
from sklearn.metrics import (
    average_precision_score,
    mean_absolute_error,
    ndcg_score,
    roc_auc_score,
    root_mean_squared_error,
)

from rankd_train.evaluation.metrics import PerUser, error_figures, graded_figures, ranking_figures
from rankd_train.evaluation.rankings import Rankings, make_question, rank

KS = (1, 5, 10)


def slow_metrics(order: list[int], relevant: set[int], k: int) -> dict[str, float]:
    hits = [item in relevant for item in order]
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
    at_k = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits[:k]) if hit]
    others = [place for place, hit in enumerate(hits) if not hit]
    pairs = [place < other for place, hit in enumerate(hits) if hit for other in others]
    dcg = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:k]) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(relevant))))
    return {
        f"precision@{k}": sum(hits[:k]) / k,
        f"recall@{k}": sum(hits[:k]) / len(relevant),
        f"hr@{k}": float(any(hits[:k])),
        f"ndcg@{k}": dcg / ideal,
        f"map@{k}": sum(at_k) / min(k, len(relevant)),
        "map": sum(precisions) / len(relevant),
        "mrr": 1 / (hits.index(True) + 1),
        "auc": sum(pairs) / len(pairs),
    }


@pytest.fixture(scope="module")
def asked():
    rng = np.random.default_rng(0)
    scores = rng.permutation(40 * 25).reshape(40, 25).astype(np.float32)  # no ties, which scikit-learn counts half
    met = rng.random(scores.shape) < 0.2
    right = ~met & (rng.random(scores.shape) < 0.2)
    right[:, 24], met[:, 24] = True, False
    values = rng.integers(1, 6, size=scores.shape)
    return scores, met, right, values


def rankings_of(asked, relevant_from=None) -> Rankings:
    scores, met, right, values = asked
    history = sp.csr_matrix(met.astype(np.float32))
    question = make_question(history, events_of(right, values), relevant_from=relevant_from)
    return rank(FixedScores(scores), question, k=10)


def test_ranking_metrics_match_the_slow_versions(asked):
    scores, met, right, _ = asked
    figures = ranking_figures(rankings_of(asked), KS)
    for k in KS:
        for user in range(len(scores)):
            order = [item for item in np.argsort(-scores[user]) if not met[user, item]]
            for name, value in slow_metrics(order, set(np.flatnonzero(right[user])), k).items():
                assert figures[name].total[user] == pytest.approx(value), (name, user)


def test_ranking_metrics_match_scikit_learn(asked):
    scores, met, right, _ = asked
    figures = ranking_figures(rankings_of(asked), KS)
    for user in range(len(scores)):
        asked_for = ~met[user]
        truth, score = right[user, asked_for], scores[user, asked_for]
        assert figures["map"].total[user] == pytest.approx(average_precision_score(truth, score))
        assert figures["auc"].total[user] == pytest.approx(roc_auc_score(truth, score))
        for k in KS:
            assert figures[f"ndcg@{k}"].total[user] == pytest.approx(ndcg_score([truth], [score], k=k))


def test_graded_gain_matches_scikit_learn_and_low_opinions_are_no_hits(asked):
    scores, met, right, values = asked
    ranked = rankings_of(asked, relevant_from=4)
    graded, binary = graded_figures(ranked, KS), ranking_figures(ranked, KS)
    for place, user in enumerate(ranked.users):
        asked_for = ~met[user]
        truth, score = (right * values)[user, asked_for], scores[user, asked_for]
        for k in KS:
            assert graded[f"ndcg_graded@{k}"].total[place] == pytest.approx(ndcg_score([truth], [score], k=k))
        assert binary["map"].total[place] == pytest.approx(average_precision_score(truth >= 4, score))


def test_with_one_relevant_item_recall_is_the_hit_rate_and_precision_averages_to_the_reciprocal_rank():
    rng = np.random.default_rng(3)
    right = np.eye(20, dtype=bool)
    question = make_question(sp.csr_matrix((20, 20), dtype=np.float32), events_of(right))
    figures = ranking_figures(rank(FixedScores(rng.random((20, 20), dtype=np.float32)), question, 10), (10,))
    np.testing.assert_allclose(figures["recall@10"].total, figures["hr@10"].total)
    np.testing.assert_allclose(figures["map"].total, figures["mrr"].total)


def test_an_item_that_was_left_out_is_no_hit_even_in_a_short_list():
    scores = np.array([[2, 1, -np.inf]], dtype=np.float32)
    question = make_question(sp.csr_matrix((1, 3), dtype=np.float32), events_of(np.array([[False, False, True]])))
    figures = ranking_figures(rank(FixedScores(scores), question, 5), (5,))
    assert {name: figure.value() for name, figure in figures.items()} == dict.fromkeys(figures, 0.0)


def test_rating_errors_match_scikit_learn():
    rng = np.random.default_rng(1)
    predicted, actual, user = rng.random(50) * 4 + 1, rng.integers(1, 6, size=50), rng.integers(0, 7, size=50)
    figures = error_figures(predicted, actual, user, 8)
    assert figures["rmse"].value() == pytest.approx(root_mean_squared_error(actual, predicted))
    assert figures["mae"].value() == pytest.approx(mean_absolute_error(actual, predicted))
    some = np.arange(8) < 3
    assert figures["rmse"].value(some) == pytest.approx(root_mean_squared_error(actual[user < 3], predicted[user < 3]))


def test_a_metric_that_applies_to_nobody_is_not_a_number():
    assert math.isnan(PerUser.mean(np.array([np.nan, np.nan])).value())
    assert PerUser.mean(np.array([np.nan, 3.0])).value() == 3
