"""EASE, the linear item-item model of least squared error (Steck 2019, "Embarrassingly Shallow Autoencoders").

    minimise |X − X B|² + l2 |B|²  with  diag(B) = 0        →        B = −P / diag(P) by columns (equation 8),

where P is the inverse of X'X + l2. One Cholesky inverse of an I x I matrix: about I³ multiplications, and I² x 4 bytes of
memory, since everything happens in one float32 matrix (6.7 GB at 41,000 items)."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from torch import Tensor

from rankd_train.errors import ConfigError
from rankd_train.models.bounds import check_bounds
from rankd_train.models.neighbours import BLOCK, NeighbourModel, strongest
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.progress import progress, step

# LAPACK counts in 32-bit integers: the matrix may have 2³¹ − 1 elements.
MAX_ITEMS = 46_340


@dataclass(frozen=True)
class EaseConfig:
    l2: float = 250.0
    neighbours: int = 100  # weights of each item that are served
    # Weights of each item that are kept of the fit; 0 = all I of them. Beyond some 10,000 items "all" is a large file.
    kept: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("l2", "neighbours"), not_negative=("kept",))


def ease_weights(interactions: sp.csr_matrix, l2: float) -> np.ndarray:
    """interactions: [U, I] 0/1. Returns B [I, I] float32; score of candidate j = sum of B[i, j] over the history's items i.

    Memory: I² x 4 bytes beside the sparse X'X; nothing of the size of the matrix is copied."""
    items = interactions.shape[1]
    if items > MAX_ITEMS:
        raise ConfigError(
            f"EASE inverts an items x items matrix, and {items:,} items are more than the {MAX_ITEMS:,} that LAPACK counts; "
            "raise data.cleaning.min_events_per_item, or take gf-cf or als"
        )
    gram = (interactions.T @ interactions).astype(np.float32, copy=False).toarray(order="F")  # (I, I)
    gram[np.diag_indices(items)] += np.float32(l2)
    # Symmetric and positive: Cholesky needs half the work of a general inverse, and works on the lower triangle in place.
    factor, failed = scipy.linalg.lapack.spotrf(gram, lower=1, clean=0, overwrite_a=1)
    inverse, singular = scipy.linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or singular:
        raise ConfigError(f"X'X plus l2 = {l2:g} has no inverse in float32: raise model.l2")
    # The lower triangle by columns is the upper one by rows: seen from there it is in C order, as sparse products need it.
    weights = inverse.T
    diagonal = np.diagonal(weights).copy()
    mirror_upper(weights)
    for start in range(0, items, BLOCK):
        weights[start : start + BLOCK] /= -diagonal
    np.fill_diagonal(weights, 0)
    return weights


def mirror_upper(matrix: np.ndarray) -> None:
    """Writes the upper triangle over the lower one, block by block."""
    for start in progress(range(0, len(matrix), BLOCK), "mirroring", unit="blocks"):
        stop = min(start + BLOCK, len(matrix))
        corner = matrix[start:stop, start:stop]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T


def fit(config: EaseConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    with step(f"inverting {data.shape[1]:,} x {data.shape[1]:,}"):
        weights = ease_weights(data.matrix, config.l2)
    if config.kept:
        return Fitted(NeighbourModel(strongest(weights, config.kept, as_is).matrix(), data, config.neighbours))
    return Fitted(NeighbourModel(weights, data, config.neighbours))


def as_is(values: np.ndarray) -> np.ndarray:
    return values


def restore(config: EaseConfig, data: TrainingSet, state: dict[str, Tensor]) -> NeighbourModel:
    return NeighbourModel.restore(state, data, config.neighbours)


FAMILY = Family(name="ease", title="EASE", paper="Steck 2019, equation 8", config=EaseConfig, fit=fit, restore=restore)
