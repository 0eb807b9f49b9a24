"""Models whose score is a dot product of a user vector and an item vector, and how a history becomes a user vector."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.recommender import Recommender, TrainingSet
from rankd_train.models.serving_graphs import FactorScore, UserVector, candidate_count

# Of the mean eigenvalue of the histories' Gram matrix: keeps a learned fold-in from following a few users' noise.
FOLD_RIDGE = 0.01


@dataclass(frozen=True)
class FoldIn:
    """A user vector from a history alone: the sum of its items' rows / (base + count · growth), by dimension.

    base 1 and growth 0 make it the sum; base 0 and growth 1 the mean."""

    rows: np.ndarray  # [I, D] float32
    base: np.ndarray  # [D] float32
    growth: np.ndarray  # [D] float32

    @staticmethod
    def of_sum(rows: np.ndarray) -> "FoldIn":
        width = rows.shape[1]
        return FoldIn(rows, np.ones(width, dtype=np.float32), np.zeros(width, dtype=np.float32))

    @staticmethod
    def of_mean(rows: np.ndarray) -> "FoldIn":
        width = rows.shape[1]
        return FoldIn(rows, np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32))

    def vectors(self, history: sp.csr_matrix) -> np.ndarray:
        """history: [B, I] 0/1. Returns [B, D] float32, zeros for an empty history."""
        count = np.maximum(np.diff(history.indptr), 1).astype(np.float32)[:, None]
        return (history.astype(np.float32) @ self.rows) / (self.base + count * self.growth)


def learned_fold(users: np.ndarray, items: np.ndarray, history: sp.csr_matrix, mean: bool) -> FoldIn:
    """The linear map from pooled item vectors to user vectors that has the least squared error over the training users.

    users: [U, D]; items: [I, T]; history: [U, I] 0/1; mean: pools by the mean, else by the sum."""
    pool = FoldIn.of_mean(items) if mean else FoldIn.of_sum(items)
    met = np.diff(history.indptr) > 0
    pooled = pool.vectors(history)[met].astype(np.float64)  # (U', T)
    gram = pooled.T @ pooled
    gram[np.diag_indices_from(gram)] += FOLD_RIDGE * np.trace(gram) / len(gram) + np.finfo(np.float32).tiny
    rows = (items @ np.linalg.solve(gram, pooled.T @ users[met])).astype(np.float32)  # (I, D)
    return FoldIn.of_mean(rows) if mean else FoldIn.of_sum(rows)


@dataclass(frozen=True)
class Factors:
    """What a factorisation learned; score(u, j) = users[1 + u] · items[j]."""

    users: np.ndarray  # [1 + U, D] float32; row 0 is a user whom training never met, without any history
    items: np.ndarray  # [I, D] float32
    fold: FoldIn
    similar: np.ndarray | None = None  # [I, T] float32, which `similar` compares by cosine


class FactorModel(Recommender):
    """Serves users whom training met and others by one formula: offset[u] + fold(history).

    offset is what a user's vector has beyond the fold-in of its training history, and row 0's whole vector. So a known
    user gets its fitted vector, one whose request brings another history moves by the difference, and an unknown one
    is folded in."""

    def __init__(self, factors: Factors, data: TrainingSet):
        self.factors = factors
        self.data = data
        self.offset = factors.users.copy()  # (1 + U, D)
        self.offset[1:] -= factors.fold.vectors(data.matrix)

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return self.user_vectors(users, history) @ self.factors.items.T

    def user_vectors(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """users: [B] places or UNKNOWN, history: [B, I]. Returns [B, D]."""
        return self.offset[users + 1] + self.factors.fold.vectors(history)

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Of fitted vectors, within the range of the ratings that training saw."""
        if not self.data.explicit:
            return None
        predicted = (self.factors.users[users + 1] * self.factors.items[items]).sum(axis=1)
        values = self.data.events.value
        return np.clip(predicted, values.min(), values.max())

    def state(self) -> dict[str, Tensor]:
        f = self.factors
        arrays = {"users": f.users, "items": f.items, "fold_base": f.fold.base, "fold_growth": f.fold.growth}
        if f.fold.rows is not f.items:
            arrays["fold_rows"] = f.fold.rows
        if f.similar is not None:
            arrays["similar"] = f.similar
        return {name: torch.from_numpy(values) for name, values in arrays.items()}

    @classmethod
    def restore(cls, state: dict[str, Tensor], data: TrainingSet) -> Self:
        arrays = {name: values.numpy() for name, values in state.items()}
        items = arrays["items"]
        fold = FoldIn(arrays.get("fold_rows", items), arrays["fold_base"], arrays["fold_growth"])
        return cls(Factors(arrays["users"], items, fold, arrays.get("similar")), data)

    def serving(self) -> Serving:
        f = self.factors
        item = {"factors": Column("f32", f.items)}
        fold_column = "item.factors"
        if f.fold.rows is not f.items:
            item["fold"] = Column("f32", f.fold.rows)
            fold_column = "item.fold"
        indexes = {"factors": IndexPart(f.items)}
        if f.similar is not None:
            indexes["similar"] = IndexPart(f.similar, metric="cosine")
        user_inputs = {
            "user_offset": {"from": "user", "column": "user.offset"},
            "history_sum": {"from": "history", "column": fold_column, "pool": "sum"},
            "history_count": {"from": "history_count"},
        }
        pair_inputs = {"row_user": {"from": "row_user"}, "item": {"from": "item", "column": "item.factors"}}
        vector = UserVector(f.fold.base, f.fold.growth)
        query = {"graph": "user", "output": "user_vector"}
        return Serving(
            item=item,
            user={"offset": Column("f32", self.offset)},
            indexes=indexes,
            graphs={
                "user": GraphPart(vector, user_inputs, "user_vector"),
                "scorer": GraphPart(FactorScore(vector), {**user_inputs, **pair_inputs}, "score"),
            },
            sources=(
                {
                    "name": "factors",
                    "kind": "index",
                    "index": "factors",
                    "query": query,
                    "k": candidate_count(self.data),
                },
            ),
            scorer="scorer",
            similar="similar" if f.similar is not None else None,
        )
