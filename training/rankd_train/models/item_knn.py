"""Item-based nearest neighbours (Sarwar et al. 2001), with users weighted as terms are in TF-IDF.

Items are alike when the same users have them, above all users who have little else:

    weight(i, j) = sum over users u of both of w_u² / (|i| · |j| + shrink),   |i|² = sum over i's users of w_u²
    w_u = log(items / items of u), or 1 without `user_idf`

For each item its `neighbours` most similar ones speak: score(u, j) = sum of weight(i, j) over those i of j's neighbours
that stand in u's history. The engine stores the same weights by item of the history, the `served` strongest of each."""

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
    neighbours: int = 50  # that speak for each item
    shrink: float = 0.0  # draws similarities that few users support towards zero
    user_idf: bool = True  # who has met much says little about any two items of it
    served: int = 200  # weights of each item of a history in the bundle

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("neighbours", "served"), not_negative=("shrink",))


def cosine_weights(interactions: sp.csr_matrix, shrink: float = 0.0, user_idf: bool = False) -> sp.csr_matrix:
    """interactions: [U, I] 0/1. Returns [I, I] float32, symmetric with a zero diagonal, all neighbours."""
    met = interactions.astype(np.float32)
    if user_idf:
        met = sp.diags_array(user_weights(interactions)) @ met
    together = (met.T @ met).tocoo()  # (I, I)
    lengths = np.sqrt(np.asarray(met.multiply(met).sum(axis=0)).ravel())
    apart = (together.row != together.col) & (together.data > 0)
    row, column = together.row[apart], together.col[apart]
    values = together.data[apart] / (lengths[row] * lengths[column] + shrink)
    return sp.csr_matrix((values.astype(np.float32), (row, column)), shape=together.shape)


def user_weights(interactions: sp.csr_matrix) -> np.ndarray:
    """[U] float32: log(items / items of the user), the inverse document frequency of a user as a term."""
    return np.log(interactions.shape[1] / np.maximum(np.diff(interactions.indptr), 1)).astype(np.float32)


def fit(config: ItemKnnConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    alike = cosine_weights(data.matrix, config.shrink, config.user_idf)
    # Row j of the symmetric matrix are those who speak for j; turned, row i are those for whom i speaks.
    speaks_for = strongest(alike, config.neighbours, as_f16).matrix().T.tocsr()
    return Fitted(NeighbourModel(speaks_for, data, config.served))


def restore(config: ItemKnnConfig, data: TrainingSet, state: dict[str, Tensor]) -> NeighbourModel:
    return NeighbourModel.restore(state, data, config.served)


FAMILY = Family(
    name="item-knn",
    title="Item-kNN",
    paper="Sarwar et al. 2001; users weighted as terms in TF-IDF",
    config=ItemKnnConfig,
    fit=fit,
    restore=restore,
)
