"""What the tests of the evaluation share: a model that has its scores from a table, and events from a matrix of bools."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Events
from rankd_train.models.recommender import Recommender


@dataclass(frozen=True)
class FixedScores(Recommender):
    table: np.ndarray  # [U, I]
    values: np.ndarray | None = None  # [U, I], what `ratings` predicts

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return self.table[users]

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        return None if self.values is None else self.values[users, items]

    def state(self):
        raise NotImplementedError

    def serving(self):
        raise NotImplementedError


def events_of(present: np.ndarray, values: np.ndarray | None = None) -> Events:
    """present: [U, I] bool; values: [U, I]."""
    user, item = np.nonzero(present)
    value = np.ones(len(user)) if values is None else values[user, item]
    return Events(user.astype(np.int64), item.astype(np.int64), value.astype(np.float32))
