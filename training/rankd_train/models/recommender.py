"""What every family of models offers: to be fitted, to score, to be kept, and to be handed to the engine."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from torch import Tensor

from rankd_train.data.features import Features
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.export.serving import Serving

UNKNOWN = -1  # the user of a request whom training never met


@dataclass(frozen=True)
class TrainingSet:
    """All that a model may see while it is fitted."""

    users: Users
    items: Items
    events: Events
    explicit: bool
    features: Features
    # What early stopping watches; None when a model is fitted again after the choice was made.
    validation: Events | None = None
    # Where testing ranks among drawn items, so does early stopping: `Split.validation_negatives`, [U, M].
    validation_negatives: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users.ids), len(self.items.ids)

    @cached_property
    def matrix(self) -> sp.csr_matrix:
        """[U, I] float32, 1 where the user met the item."""
        return self.events.matrix(self.shape, binary=True)

    @cached_property
    def popularity(self) -> np.ndarray:
        """[I] int64: how many users met each item."""
        return np.bincount(self.matrix.indices, minlength=self.shape[1]).astype(np.int64)


@dataclass(frozen=True)
class FitOptions:
    """What a fit is told beside its configuration and its data."""

    seed: int
    threads: int
    folder: Path  # for checkpoints
    # What an earlier fit on `train` chose by validation, such as {"epochs": 12}: this one has none to look at.
    choices: dict[str, Any] = field(default_factory=dict)
    resume: bool = False  # go on from the last checkpoint in `folder`


class Recommender(ABC):
    """A fitted model. Higher scores are better; scores of one user compare, those of two users need not."""

    @abstractmethod
    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """Of every item. users: [B] places in `Users.ids`, or UNKNOWN; history: [B, I] 0/1, what each has met.

        Returns [B, I] float32. Items of the history are scored like any other."""

    def pair_scores(self, users: np.ndarray, items: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """Of some items of each user. items: [B, M]; returns [B, M]. For models that score a pair faster than a row."""
        return np.take_along_axis(self.scores(users, history), items, axis=1)

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Predicted values of pairs [N], on the scale of the data; None for a model that only ranks."""
        return None

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Everything learned; `Family.restore` makes the same model of it."""

    def served(self) -> "Recommender":
        """The model as the engine runs it: another one where serving cuts something off, such as weak neighbours."""
        return self

    @abstractmethod
    def serving(self) -> Serving:
        """The same model as tables, indexes and graphs."""


@dataclass(frozen=True)
class Fitted:
    model: Recommender
    history: list[dict[str, float]] = field(default_factory=list)  # one entry per epoch; none for closed forms
    choices: dict[str, Any] = field(default_factory=dict)  # for `FitOptions.choices` of the final fit


@dataclass(frozen=True)
class Family:
    """A kind of model: the name in `model: {name: …}` of a recipe, and what makes one. Each module of `models/` has its FAMILY."""

    name: str
    title: str
    paper: str  # where it comes from, and which equation
    config: type  # a frozen dataclass, a field per hyperparameter
    fit: Callable[[Any, TrainingSet, FitOptions], Fitted]
    restore: Callable[[Any, TrainingSet, dict[str, Tensor]], Recommender]
