"""Predicted values beside the true ones: of opinions their value, of presence its probability."""

import numpy as np

from rankd_train.data.interactions import Events
from rankd_train.evaluation.metrics import PerUser, error_figures
from rankd_train.evaluation.rankings import Question, flat
from rankd_train.models.recommender import Recommender

NEGATIVES = 4  # drawn for each right item, the ratio that seed 001 trains with
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
    wrong = np.repeat(right, NEGATIVES)
    place = np.concatenate([right, wrong])
    item = np.concatenate([question.items, draw_unmet(question, wrong, seed)])
    actual = (np.arange(len(place)) < len(right)).astype(np.float64)
    predicted = ratings(model, question.users[place], item)
    if predicted is None or predicted.min() < 0 or predicted.max() > 1:
        return {}
    return error_figures(predicted, actual, place, len(question.users))


def ratings(model: Recommender, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
    parts = [
        model.ratings(users[first : first + CHUNK], items[first : first + CHUNK])
        for first in range(0, len(users), CHUNK)
    ]
    return None if any(part is None for part in parts) else np.concatenate(parts)


def draw_unmet(question: Question, place: np.ndarray, seed: int) -> np.ndarray:
    """place: [N] in `question.users`. An item for each, uniformly among those that are neither right nor in the history."""
    rng = np.random.default_rng(seed)
    items = question.history.shape[1]
    right = np.repeat(np.arange(len(question.users)), np.diff(question.starts)) * items + question.items
    met = np.unique(np.concatenate([flat(question.history[question.users]), right]))
    drawn = rng.integers(items, size=len(place))
    again = np.arange(len(place))
    while len(again := again[np.isin(place[again] * items + drawn[again], met)]):
        drawn[again] = rng.integers(items, size=len(again))
    return drawn
