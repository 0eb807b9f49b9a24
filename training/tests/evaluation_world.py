"""What the tests of the evaluation share: a model that has its scores from a table, and small splits."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.data.features import Features, FeatureTable
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.data.split import Split
from rankd_train.models.recommender import Recommender, TrainingSet


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


def small_split(users: int = 120, items: int = 60, seed: int = 77) -> Split:
    """Half of the users like even items and half odd ones, so that there is something to be learned."""
    rng = np.random.default_rng(seed)
    same = np.arange(items)[None] % 2 == np.arange(users)[:, None] % 2
    charm = np.linspace(1.5, 0.2, items)[None]
    met = rng.random((users, items)) < np.where(same, 0.35, 0.04) * charm
    part = rng.choice(3, p=[0.7, 0.1, 0.2], size=met.shape)
    attributes = {"sex": np.where(np.arange(users) % 2 == 0, "f", "m")}
    return Split(
        Users(tuple(range(users)), attributes),
        Items(tuple(range(items))),
        *(events_of(met & (part == wanted)) for wanted in range(3)),
        explicit=False,
    )


def training_of(split: Split) -> TrainingSet:
    nothing = FeatureTable((), np.zeros((0, 0), dtype=np.float32), {})
    return TrainingSet(split.users, split.items, split.train, split.explicit, Features(nothing, nothing))
