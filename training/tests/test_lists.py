"""What lists are like, against all pairs and all places one by one."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from evaluation_world import FixedScores, events_of

from rankd_train.data.interactions import Items
from rankd_train.evaluation.lists import coverage, item_vectors, list_figures
from rankd_train.evaluation.rankings import make_question, rank

USERS, ITEMS = 30, 40


@pytest.fixture(scope="module")
def asked():
    rng = np.random.default_rng(0)
    state = rng.choice(3, p=[0.6, 0.3, 0.1], size=(USERS, ITEMS)) * (rng.random(ITEMS) < 0.9)
    state[:, 5] = 0
    state[:, 7] = 2
    scores = rng.random((USERS, ITEMS)).astype(np.float32)
    scores[2, 3:] = -np.inf  # short lists
    scores[3, 1:] = -np.inf
    state[3, 0], state[2, :3] = 0, 0
    history = sp.csr_matrix((state == 1).astype(np.float32))
    question = make_question(history, events_of(state == 2))
    return question, rank(FixedScores(scores), question, 12), state


def lists_of(rankings) -> list[list[int]]:
    return [[int(item) for item in row[:10] if item >= 0] for row in rankings.top]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length > 0 else 0.0


def test_diversity_is_the_mean_dissimilarity_of_all_pairs(asked):
    question, rankings, state = asked
    vectors, made_of = item_vectors(Items(tuple(range(ITEMS))), question.history)
    assert made_of == "co-occurrence"
    figure = list_figures(rankings, question.history, vectors)["diversity"]
    met = (state == 1).astype(float)
    for user, items in enumerate(lists_of(rankings)):
        pairs = [1 - cosine(met[:, a], met[:, b]) for a, b in itertools.combinations(items, 2)]
        if pairs:
            assert figure.total[user] == pytest.approx(np.mean(pairs), abs=1e-5)
        assert figure.weight[user] == bool(pairs)
    assert (figure.weight == 0).sum() == 1


def test_items_are_alike_by_categories_and_tags_where_there_are_any():
    items = Items(("a", "b", "c"), categories=(("x", "x"), ("x",), ()), tags=(("y",), (), ()))
    vectors, made_of = item_vectors(items, sp.csr_matrix((2, 3), dtype=np.float32))
    similar = (vectors @ vectors.T).toarray()
    assert made_of == "categories and tags"
    np.testing.assert_allclose(similar, [[1, 0.5**0.5, 0], [0.5**0.5, 1, 0], [0, 0, 0]], atol=1e-6)


def test_novelty_falls_as_lists_leave_the_charts_and_self_information_rises(asked):
    question, rankings, state = asked
    vectors, _ = item_vectors(Items(tuple(range(ITEMS))), question.history)
    figures = list_figures(rankings, question.history, vectors)
    met = (state == 1).sum(axis=0)
    for user, items in enumerate(lists_of(rankings)):
        place = [((met < met[item]).sum() + ((met == met[item]).sum() - 1) / 2) / (ITEMS - 1) for item in items]
        bits = [-math.log2(max(met[item], 1) / USERS) for item in items]
        assert figures["novelty"].total[user] == pytest.approx(np.mean(place))
        assert figures["self_information"].total[user] == pytest.approx(np.mean(bits))


def test_serendipity_counts_hits_that_the_popular_list_does_not_have(asked):
    question, rankings, state = asked
    vectors, _ = item_vectors(Items(tuple(range(ITEMS))), question.history)
    figure = list_figures(rankings, question.history, vectors)["serendipity"]
    charts = np.argsort(-(state == 1).sum(axis=0), kind="stable")
    for user, items in enumerate(lists_of(rankings)):
        popular = [item for item in charts if state[rankings.users[user], item] != 1][:10]
        hits = [state[rankings.users[user], item] == 2 and item not in popular for item in items]
        assert figure.total[user] == pytest.approx(np.mean(hits))
    assert figure.value() > 0


def test_coverage_is_the_share_of_the_catalogue_that_anyone_sees(asked):
    _, rankings, _ = asked
    assert coverage(rankings.top, ITEMS) == len(set(itertools.chain(*lists_of(rankings)))) / ITEMS
