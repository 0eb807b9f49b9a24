"""Leave-two-out: one test and one validation item per user, the rest is training."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.data.source_items import SourceItems


@dataclass(frozen=True)
class LeaveTwoOut:
    """Rows are users in the order of `users`, columns items in the order of `items` (by training popularity).

    The set has no times, so the held-out items are drawn at random. Everything that is fitted, published or
    counted sees `train` alone; `validation` decides, and `test` is read once, when all is decided."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    train: sp.csr_matrix  # [U, I] float32, 1 where the user has the item
    validation: np.ndarray  # [U] int64, the held-out column
    test: np.ndarray  # [U] int64

    @property
    def popularity(self) -> np.ndarray:
        """[I] int64: how many users have each item in training."""
        return np.asarray(self.train.sum(axis=0)).ravel().astype(np.int64)

    def history(self, user: int) -> np.ndarray:
        """Columns of the user's training items, ascending."""
        return self.train.indices[self.train.indptr[user] : self.train.indptr[user + 1]]


def split_leave_two_out(interactions: SourceItems, seed: int) -> LeaveTwoOut:
    """Draws test and validation, then numbers the items by falling training popularity, names breaking ties."""
    rng = np.random.default_rng(seed)
    test, validation, kept = [], [], []
    for row in interactions.rows:
        shuffled = rng.permutation(row)
        test.append(shuffled[0])
        validation.append(shuffled[1])
        kept.append(shuffled[2:])
    popularity = np.bincount(np.concatenate(kept), minlength=len(interactions.items))
    order = np.lexsort((np.arange(len(popularity)), -popularity))  # items are sorted by name already
    column = np.empty_like(order)
    column[order] = np.arange(len(order))
    return LeaveTwoOut(
        users=interactions.users,
        items=tuple(interactions.items[old] for old in order),
        train=rows_to_csr([column[row] for row in kept], len(order)),
        validation=column[np.asarray(validation)],
        test=column[np.asarray(test)],
    )


def rows_to_csr(rows: list[np.ndarray], columns: int) -> sp.csr_matrix:
    """Lists of columns as a 0/1 matrix [len(rows), columns] with sorted indices."""
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    indices = np.concatenate([np.sort(row) for row in rows])
    data = np.ones(len(indices), dtype=np.float32)
    return sp.csr_matrix((data, indices, indptr), shape=(len(rows), columns))
