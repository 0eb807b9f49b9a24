"""A random order: the control that shows what a metric gives for nothing."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.export.serving import Serving
from rankd_train.models.list_model import ListModel
from rankd_train.models.recommender import Family, FitOptions, Fitted, Recommender, TrainingSet


@dataclass(frozen=True)
class RandomConfig:
    """A random order has nothing to set; the recipe's seed names the order."""


class RandomOrder(Recommender):
    """Every user has an own order, fixed by seed and user. Served is one order for all: the list of the unknown user."""

    def __init__(self, seed: int, data: TrainingSet):
        self.seed = seed
        self.data = data

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return np.stack([self.order_of(user) for user in users.tolist()])

    def order_of(self, user: int) -> np.ndarray:
        """[I] float32 in [0, 1). user: place in `Users.ids`, or UNKNOWN (-1)."""
        return np.random.default_rng([self.seed, user + 1]).random(self.data.shape[1], dtype=np.float32)

    def served(self) -> ListModel:
        return ListModel(self.order_of(-1), self.data)

    def state(self) -> dict[str, Tensor]:
        return {"seed": torch.tensor(self.seed)}

    def serving(self) -> Serving:
        return self.served().serving()


def fit(config: RandomConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    return Fitted(RandomOrder(options.seed, data))


def restore(config: RandomConfig, data: TrainingSet, state: dict[str, Tensor]) -> RandomOrder:
    return RandomOrder(int(state["seed"]), data)


FAMILY = Family(name="random", title="Random order", paper="control", config=RandomConfig, fit=fit, restore=restore)
