"""Predicted values beside the true ones: of opinions their value, of presence its probability."""

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Events
from rankd_train.data.sampling import RATIO, NegativeSampler
from rankd_train.evaluation.metrics import PerUser, error_figures
from rankd_train.evaluation.rankings import Question
from rankd_train.models.recommender import Recommender

CHUNK = 2**18  # pairs at once


def opinion_figures(model: Recommender, events: Events, users: np.ndarray) -> dict[str, PerUser]:
    """Error over every opinion of `users` ([Q], sorted) in `events`; none for a model that only ranks."""
    own = events.where(np.isin(events.user, users))
    predicted = ratings(model, own.user, own.item)
    if predicted is None:
        return {}
    return error_figures(predicted, own.value, np.searchsorted(users, own.user), len(users))


def presence_figures(model: Recommender, question: Question, seed: int) -> dict[str, PerUser]:
    """Error of the probability that a user takes an item: 1 for each right item, 0 for four drawn ones that are neither
    right nor in the history. None for a model whose `ratings` are absent or leave [0, 1]."""
    right = np.repeat(np.arange(len(question.users)), np.diff(question.starts))  # (R,) place in `users`
    known = question.history[question.users]
    known += sp.csr_matrix((np.ones(len(right), dtype=np.float32), (right, question.items)), shape=known.shape)
    sampler = NegativeSampler(known)
    wrong = right[~sampler.nothing_left[right]]
    drawn = sampler.draw(wrong, np.random.default_rng(seed))  # (W, 4)
    place = np.concatenate([right, np.repeat(wrong, RATIO)])
    predicted = ratings(model, question.users[place], np.concatenate([question.items, drawn.ravel()]))
    if predicted is None or predicted.min() < 0 or predicted.max() > 1:
        return {}
    actual = (np.arange(len(place)) < len(right)).astype(np.float64)
    return error_figures(predicted, actual, place, len(question.users))


def ratings(model: Recommender, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
    parts = [
        model.ratings(users[first : first + CHUNK], items[first : first + CHUNK])
        for first in range(0, len(users), CHUNK)
    ]
    return None if any(part is None for part in parts) else np.concatenate(parts)
