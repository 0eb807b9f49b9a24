"""Soft-Impute (Mazumder, Hastie & Tibshirani 2010, algorithm 1): a low-rank matrix that fits what was observed.

    minimise  ½ Σ over observed (r − L)²  +  shrink · |L|_*        L ← S_shrink( observed(R − L) + L )

S_shrink takes the singular value decomposition, lowers each value by `shrink` and drops those that fall below zero. The
matrix it is taken of is sparse plus low rank: `svds` only asks for its products with vectors, so it is never dense."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, svds

from rankd_train.models.observed import Ratings


@dataclass(frozen=True)
class LowRank:
    """L = left · diag(values) · right'."""

    left: np.ndarray  # [U, K] orthonormal columns
    values: np.ndarray  # [K] falling
    right: np.ndarray  # [I, K]

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """[U, K] and [I, K], whose product is L."""
        root = np.sqrt(self.values)
        return self.left * root, self.right * root


def soft_impute(ratings: Ratings, rank: int, shrink: float, iterations: int, seed: int) -> Iterator[LowRank]:
    """Yields L after each iteration. At most `rank` singular values are kept; where more of them exceed `shrink`, the
    objective need not fall any more."""
    users, items = ratings.shape
    low = LowRank(np.zeros((users, 1)), np.zeros(1), np.zeros((items, 1)))
    start = np.random.default_rng(seed).normal(size=min(users, items))
    for _ in range(iterations):
        rest = ratings.matrix(ratings.value - ratings.predicted(*low.halves()))  # (U, I) sparse
        low = shrunken(svds(sparse_plus_low_rank(rest, low), k=rank, v0=start), shrink)
        yield low


def sparse_plus_low_rank(rest: sp.csr_matrix, low: LowRank) -> LinearOperator:
    left, right, transposed = low.left * low.values, low.right, rest.T.tocsr()
    return LinearOperator(
        rest.shape,
        matvec=lambda x: rest @ x + left @ (right.T @ x),
        rmatvec=lambda x: transposed @ x + right @ (left.T @ x),
        matmat=lambda x: rest @ x + left @ (right.T @ x),
        rmatmat=lambda x: transposed @ x + right @ (left.T @ x),
        dtype=np.float64,
    )


def shrunken(decomposition: tuple[np.ndarray, np.ndarray, np.ndarray], shrink: float) -> LowRank:
    """S_shrink; at least one column stays, with value 0 if need be."""
    left, values, right = decomposition
    order = np.argsort(-values)
    kept = order[: max(1, int((values > shrink).sum()))]
    return LowRank(left[:, kept], np.maximum(values[kept] - shrink, 0), right[kept].T)
