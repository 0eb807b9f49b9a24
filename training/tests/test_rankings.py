"""Full and sampled rankings against sorting one user at a time."""

import numpy as np
import pytest
import scipy.sparse as sp
from evaluation_world import FixedScores, events_of

from rankd_train.data.interactions import Events
from rankd_train.errors import TrainError
from rankd_train.evaluation import rankings
from rankd_train.evaluation.rankings import make_question, rank


def slow_order(scores, candidates):
    return sorted(candidates, key=lambda item: (-scores[item], item))


def world(seed: int = 0, users: int = 23, items: int = 31):
    """Few distinct scores, so that ties are everywhere."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, size=(users, items)).astype(np.float32)
    state = rng.choice(3, p=[0.6, 0.25, 0.15], size=(users, items))  # nothing, met before, right
    state[3] = np.where(state[3] == 2, 0, state[3])  # a user with nothing right
    state[4, 0] = 2
    return scores, sp.csr_matrix((state == 1).astype(np.float32)), state == 2


def test_a_full_ranking_is_the_sorted_catalogue_without_the_history(monkeypatch):
    scores, history, right = world()
    monkeypatch.setattr(rankings, "CHUNK_SCORES", 5 * scores.shape[1])
    question = make_question(history, events_of(right))
    got = rank(FixedScores(scores), question, k=7)
    assert 3 not in got.users and len(got.users) == right.any(axis=1).sum()
    for place, user in enumerate(got.users):
        order = slow_order(scores[user], np.flatnonzero(history[user].toarray()[0] == 0))
        assert got.top[place].tolist() == order[:7]
        part = slice(got.starts[place], got.starts[place + 1])
        assert got.rank[part].tolist() == sorted(order.index(item) for item in np.flatnonzero(right[user]))
        assert [order[place] for place in got.rank[part]] == got.items[part].tolist()
        assert got.candidates[place] == len(order)


def test_a_sampled_ranking_counts_each_candidate_once():
    scores, history, right = world(seed=1)
    rng = np.random.default_rng(2)
    negatives = rng.integers(0, scores.shape[1], size=(len(scores), 9))
    negatives[:, 1] = right.argmax(axis=1)  # a drawn item that is the right one, as in the published negatives
    negatives[6] = -1
    question = make_question(history, events_of(right), negatives=negatives)
    got = rank(FixedScores(scores), question, k=20)
    assert 6 not in got.users
    for place, user in enumerate(got.users):
        order = slow_order(scores[user], set(negatives[user]) | set(np.flatnonzero(right[user])))
        assert [item for item in got.top[place] if item >= 0] == order[:20]
        part = slice(got.starts[place], got.starts[place + 1])
        assert got.rank[part].tolist() == [order.index(item) for item in got.items[part]]
        assert got.candidates[place] == len(order)


def test_what_the_model_leaves_out_is_never_recommended():
    scores = np.array([[3, -np.inf, -np.inf, 1, 2, -np.inf]], dtype=np.float32)
    history = sp.csr_matrix(np.array([[1, 0, 0, 0, 0, 0]], dtype=np.float32))
    right = np.array([[False, True, False, True, False, False]])
    got = rank(FixedScores(scores), make_question(history, events_of(right)), k=4)
    assert got.top.tolist() == [[4, 3, -1, -1]]
    assert (got.items.tolist(), got.rank.tolist()) == ([3, 1], [1, 5])


def test_bad_opinions_are_kept_but_not_relevant():
    events = Events(np.array([0, 0, 1]), np.array([1, 2, 0]), np.array([5.0, 2.0, 1.0], dtype=np.float32))
    question = make_question(sp.csr_matrix((2, 3), dtype=np.float32), events, relevant_from=4)
    assert question.users.tolist() == [0]
    assert question.relevant.tolist() == [True, False]
    assert question.gains.tolist() == [5, 2]


def test_items_that_the_history_holds_are_not_asked_for_again():
    history = sp.csr_matrix(np.array([[1, 0, 0], [1, 0, 0]], dtype=np.float32))
    question = make_question(history, events_of(np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)))
    assert (question.users.tolist(), question.items.tolist()) == ([0], [1])


def test_nothing_to_ask_and_scores_astray_are_told():
    scores, history, right = world()
    with pytest.raises(TrainError, match="no user has a new item"):
        make_question(history, events_of(np.zeros_like(right)))
    scores[5, 3] = np.nan
    with pytest.raises(TrainError, match="user 5 with NaN"):
        rank(FixedScores(scores), make_question(history, events_of(right)), k=5)
