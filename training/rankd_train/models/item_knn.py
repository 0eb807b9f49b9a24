"""Item-based nearest neighbours (Sarwar et al. 2001; top-N form: Deshpande & Karypis 2004).

Items are alike when the same users have them:

    weight(i, j) = |U_i ∩ U_j| / (sqrt(|U_i| · |U_j|) + shrink)

Each item keeps its `neighbours` most similar ones, and a history's items vote for theirs: score(u, j) = sum of
weight(i, j) over i in u's history. The lists are kept per item of the history, as the engine stores them."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from torch import Tensor

from rankd_train.models.bounds import check_bounds
from rankd_train.models.neighbours import NeighbourModel, strongest
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.quantise import as_f16


@dataclass(frozen=True)
class ItemKnnConfig:
    neighbours: int = 100  # of each item
    shrink: float = 0.0  # draws similarities that few users support towards zero

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("neighbours",), not_negative=("shrink",))


def cosine_weights(interactions: sp.csr_matrix, shrink: float = 0.0) -> sp.csr_matrix:
    """interactions: [U, I] 0/1. Returns [I, I] float32 with a zero diagonal, all neighbours."""
    together = (interactions.T @ interactions).tocoo()  # (I, I)
    counts = np.bincount(interactions.indices, minlength=interactions.shape[1])
    lengths = np.sqrt(counts)
    apart = together.row != together.col
    row, column = together.row[apart], together.col[apart]
    values = together.data[apart] / (lengths[row] * lengths[column] + shrink)
    return sp.csr_matrix((values.astype(np.float32), (row, column)), shape=together.shape)


def fit(config: ItemKnnConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    kept = strongest(cosine_weights(data.matrix, config.shrink), config.neighbours, as_f16)
    return Fitted(NeighbourModel(kept.matrix(), data, config.neighbours))


def restore(config: ItemKnnConfig, data: TrainingSet, state: dict[str, Tensor]) -> NeighbourModel:
    return NeighbourModel.restore(state, data, config.neighbours)


FAMILY = Family(
    name="item-knn",
    title="Item-kNN",
    paper="Sarwar et al. 2001; Deshpande & Karypis 2004",
    config=ItemKnnConfig,
    fit=fit,
    restore=restore,
)
