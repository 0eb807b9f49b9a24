"""Targets for the ranker that stage one has not seen.

A ranker that reads stage one's scores must not learn from items that stage one was fitted on: EASE and the towers score
those far too well, and the ranker would trust them blindly. So the training items are cut into folds; each fold is once
the target, its request shows only the other folds as history, and stage one is fitted on those others alone. For serving
stage one is fitted once more, on all training items."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Fold:
    history: sp.csr_matrix  # [U, I], what stage one is fitted on and the request shows
    targets: sp.csr_matrix  # [U, I], the rest


def fold_training_items(train: sp.csr_matrix, folds: int, seed: int) -> list[Fold]:
    """Deals each user's training items round-robin, in random order and from a random fold on. train: [U, I].

    So every fold holds about the same share of every user, and a user with two items never loses both at once."""
    rng = np.random.default_rng(seed)
    assigned = np.empty(train.nnz, dtype=np.int64)
    for user in range(train.shape[0]):
        start, end = train.indptr[user], train.indptr[user + 1]
        assigned[start:end] = (rng.permutation(end - start) + rng.integers(folds)) % folds
    return [Fold(entries(train, assigned != fold), entries(train, assigned == fold)) for fold in range(folds)]


def entries(matrix: sp.csr_matrix, keep: np.ndarray) -> sp.csr_matrix:
    """The entries for which `keep` [nnz] is True, in a matrix of the same shape."""
    kept = matrix.copy()
    kept.data = keep.astype(np.float32)
    kept.eliminate_zeros()
    return kept
