"""Item-item models in closed form: EASE, which serves, and cosine item-kNN, the baseline."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from rankd_train.quantise import as_i8

NO_NEIGHBOUR = 0xFFFFFFFF  # pads a row of the neighbour table


@dataclass(frozen=True)
class Neighbours:
    """The strongest weights of each item, as the engine stores them."""

    rows: np.ndarray  # [I, W] uint32, NO_NEIGHBOUR where there are fewer
    weights: np.ndarray  # [I, W] float32, as int8 with a scale per row gives them back

    def matrix(self) -> sp.csr_matrix:
        """[I, I] float32, row = item of the history, column = candidate: history [U, I] @ matrix = scores [U, I]."""
        count, width = self.rows.shape
        real = self.rows != NO_NEIGHBOUR
        row = np.repeat(np.arange(count), width)[real.ravel()]
        values = self.weights[real]
        return sp.csr_matrix((values, (row, self.rows[real].astype(np.int64))), shape=(count, count))


def ease_weights(interactions: sp.csr_matrix, l2: float) -> np.ndarray:
    """EASE (Steck 2019, equation 8): the linear item-item model of least squared error with a zero diagonal.

    interactions: [U, I] 0/1. Returns B [I, I] float32; score of candidate j = sum of B[i, j] over the history's items i.
    B = -P / diag(P) by columns, where P is the inverse of (X'X + l2)."""
    gram = (interactions.T @ interactions).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    # The Gram matrix is symmetric and positive: Cholesky needs half the work of a general inverse.
    factor, info = scipy.linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1)
    inverse, info_inverse = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info or info_inverse:
        raise ArithmeticError(f"the Gram matrix plus l2 = {l2} is not positive definite")
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)


def cosine_weights(interactions: sp.csr_matrix) -> np.ndarray:
    """Cosine item-kNN (Sarwar et al. 2001) over all neighbours: [I, I] float32 with a zero diagonal."""
    together = (interactions.T @ interactions).toarray()
    norms = np.sqrt(np.maximum(np.diag(together), 1.0))
    weights = together / norms[:, None] / norms[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)


def strongest(weights: np.ndarray, width: int) -> Neighbours:
    """Keeps the `width` largest weights by absolute value: EASE's negative ones carry what speaks against an item."""
    width = min(width, weights.shape[1])
    rows = np.argpartition(-np.abs(weights), width - 1, axis=1)[:, :width]  # (I, W)
    values = np.take_along_axis(weights, rows, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)
    values = as_i8(np.take_along_axis(values, order, axis=1))
    return Neighbours(np.where(values == 0, NO_NEIGHBOUR, rows).astype(np.uint32), values)
