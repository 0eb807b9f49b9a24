"""Non-negative factors of the ratings that were given, and of nothing else (Zhang et al. 2006, weighted NMF).

    minimise  ½ Σ over observed (r − w_u · h_i)² + ½ l2 (|W|² + |H|²)

    W ← W ∘ (R H) / ((M ∘ WH') H + l2 W),  and H alike,  where M is 1 for what was rated and 0 elsewhere.

Each half-step lowers the objective and keeps what is positive positive. scikit-learn's NMF would read a missing rating as
a zero; here it is in none of the sums."""

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from rankd_train.errors import ConfigError
from rankd_train.models.observed import Ratings

TINY = np.finfo(np.float64).tiny


def masked_nmf(
    ratings: Ratings, rank: int, l2: float, iterations: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields users [U, K] and items [I, K] after each iteration."""
    if ratings.value.min() < 0:
        raise ConfigError(
            f"NMF needs ratings of at least 0, and the lowest is {ratings.value.min():g}; take svd or als"
        )
    rated, rated_turned = ratings.matrix(), ratings.matrix().T.tocsr()
    users, items = start(ratings, rank, seed)
    for _ in range(iterations):
        predicted = ratings.matrix(ratings.predicted(users, items))
        users = users * ((rated @ items) / np.maximum(predicted @ items + l2 * users, TINY))
        predicted = ratings.matrix(ratings.predicted(users, items)).T.tocsr()
        items = items * ((rated_turned @ users) / np.maximum(predicted @ users + l2 * items, TINY))
        yield users, items


def start(ratings: Ratings, rank: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's NNDSVDa, which is close to the truth in shape only: it read missing ratings as zeros. So both sides
    are scaled to fit what was observed, and moved off zero, which multiplications never leave."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        nmf = NMF(rank, init="nndsvda", max_iter=1, random_state=seed)
        users = nmf.fit_transform(ratings.matrix())  # (U, K)
    items = nmf.components_.T  # (I, K)
    rng = np.random.default_rng(seed)
    level = np.sqrt(max(ratings.value.mean(), TINY) / rank)
    users, items = (side / max(side.mean(), TINY) + 0.1 * rng.random(side.shape) for side in (users, items))
    users, items = level * users, level * items
    predicted = ratings.predicted(users, items)
    scale = np.sqrt(max(predicted @ ratings.value, TINY) / max(predicted @ predicted, TINY))
    return users * scale, items * scale
