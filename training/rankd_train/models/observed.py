"""Ratings that were given, and what is left of them when users' and items' biases are told apart.

A rating that was not given is missing: it is in no sum here, and it is never zero."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.errors import ConfigError
from rankd_train.models.factors import Factors, learned_fold
from rankd_train.models.recommender import TrainingSet


@dataclass(frozen=True)
class Ratings:
    """One entry per pair that was rated, sorted by user, then item."""

    user: np.ndarray  # [N] int64
    item: np.ndarray  # [N] int64
    value: np.ndarray  # [N] float64; the mean where a pair was rated several times
    shape: tuple[int, int]

    @staticmethod
    def of(data: TrainingSet) -> "Ratings":
        events, (users, items) = data.events, data.shape
        if not len(events):
            raise ConfigError("there are no ratings to fit")
        pairs, place = np.unique(events.user * items + events.item, return_inverse=True)
        value = np.bincount(place, events.value) / np.bincount(place)
        return Ratings(pairs // items, pairs % items, value, (users, items))

    def matrix(self, value: np.ndarray | None = None) -> sp.csr_matrix:
        """[U, I] float64 of these values, else of the ratings; a stored zero is a rating of zero."""
        value = self.value if value is None else value
        starts = np.searchsorted(self.user, np.arange(self.shape[0] + 1))
        return sp.csr_matrix((value, self.item, starts), shape=self.shape)

    def predicted(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """users: [U, D], items: [I, D]. Returns the products of the rated pairs alone, [N]."""
        return np.einsum("nd,nd->n", users[self.user], items[self.item])


@dataclass(frozen=True)
class Biases:
    """rating(u, i) ≈ mean + user[u] + item[i]."""

    mean: float
    user: np.ndarray  # [U] float64, 0 for a user without ratings
    item: np.ndarray  # [I] float64

    def of(self, ratings: Ratings) -> np.ndarray:
        return self.mean + self.user[ratings.user] + self.item[ratings.item]


def fit_biases(ratings: Ratings, user_l2: float, item_l2: float, sweeps: int = 10) -> Biases:
    """The baseline estimates of Koren 2010 ("Factor in the Neighbors"): least squares with l2 on each bias, by turns."""
    mean = ratings.value.mean()
    user, item = np.zeros(ratings.shape[0]), np.zeros(ratings.shape[1])
    users = np.bincount(ratings.user, minlength=len(user)) + user_l2
    items = np.bincount(ratings.item, minlength=len(item)) + item_l2
    for _ in range(sweeps):
        rest = ratings.value - mean - user[ratings.user]
        item = np.bincount(ratings.item, rest, len(item)) / np.maximum(items, 1)
        rest = ratings.value - mean - item[ratings.item]
        user = np.bincount(ratings.user, rest, len(user)) / np.maximum(users, 1)
    return Biases(mean, user, item)


def rating_factors(users: np.ndarray, items: np.ndarray, biases: Biases, data: TrainingSet) -> Factors:
    """users [U, T] · items [I, T] + biases as one dot product: [x, 1, mean + b_u] · [y, b_i, 1].

    A history tells what was rated, not how; what people choose to rate says something of their taste all the same,
    so it is folded in by the linear map that does best for the users of training."""
    user = np.column_stack([users, np.ones(len(users)), biases.mean + biases.user])  # (U, T + 2)
    unknown = np.zeros(user.shape[1])
    unknown[-2:] = 1, biases.mean
    item = np.column_stack([items, biases.item, np.ones(len(items))]).astype(np.float32)  # (I, T + 2)
    similar = items.astype(np.float32)
    padded = np.pad(users, ((0, 0), (0, 2)))  # a history moves no bias
    fold = learned_fold(padded, similar, data.matrix, mean=True)
    return Factors(np.vstack([unknown, user]).astype(np.float32), item, fold, similar)
