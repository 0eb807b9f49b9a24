"""Negatives, drawn uniformly, by popularity or from the batch; and what is hidden at random so that models do without it."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.errors import DataError

# Of seed 001: four items that the user did not meet for each that he did.
RATIO = 4
# Rounds of drawing anew what was met. What is left then belongs to users who met nearly everything: listed instead.
ROUNDS = 20


class NegativeSampler:
    """Draws items that a user has not met in training, exactly from uniform or weighted shares of those items."""

    def __init__(self, met: sp.csr_matrix, weights: np.ndarray | None = None) -> None:
        """met: [U, I], an entry where the user met the item; weights: [I] >= 0, how much more often each is drawn, or None."""
        self.user_count, self.item_count = met.shape
        self.matrix = met
        rows = np.repeat(np.arange(self.user_count, dtype=np.int64), np.diff(met.indptr))
        self.keys = np.sort(rows * self.item_count + met.indices)
        self.weights = np.ones(self.item_count) if weights is None else np.asarray(weights, dtype=np.float64)
        self.uniform = weights is None
        self.cumulated = np.cumsum(self.weights)
        left = self.cumulated[-1] - met.astype(bool).astype(np.float64) @ self.weights  # (U,)
        self.nothing_left = left <= 1e-9 * self.cumulated[-1]

    def met(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """users, items: of one shape, int64. Returns bool of that shape."""
        keys = users * self.item_count + items
        places = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        return self.keys[places] == keys if len(self.keys) else np.zeros(keys.shape, dtype=bool)

    def draw(self, users: np.ndarray, rng: np.random.Generator, ratio: int = RATIO) -> np.ndarray:
        """users: [B], repeated as often as they have positives. Returns [B, ratio] items, drawn with replacement."""
        if self.nothing_left[users].any():
            user = users[self.nothing_left[users]][0]
            raise DataError(
                f"user number {user} has met every item that could be drawn, so there is no negative; leave out users of "
                "that kind by data.cleaning.outlier_events"
            )
        wanted = np.repeat(users, ratio)  # (B * ratio,)
        items = self.draw_any(len(wanted), rng)
        again = np.flatnonzero(self.met(wanted, items))
        for _ in range(ROUNDS):
            if not len(again):
                break
            items[again] = self.draw_any(len(again), rng)
            again = again[self.met(wanted[again], items[again])]
        for user in np.unique(wanted[again]):
            of_user = again[wanted[again] == user]
            items[of_user] = self.draw_listed(user, len(of_user), rng)
        return items.reshape(len(users), ratio)

    def draw_any(self, count: int, rng: np.random.Generator) -> np.ndarray:
        if self.uniform:
            return rng.integers(0, self.item_count, size=count)
        # `side="right"`: an item of weight 0 covers no part of the line, and is never drawn.
        places = np.searchsorted(self.cumulated, rng.random(count) * self.cumulated[-1], side="right")
        return np.minimum(places, np.flatnonzero(self.weights)[-1])

    def draw_listed(self, user: int, count: int, rng: np.random.Generator) -> np.ndarray:
        weights = self.weights.copy()
        start, end = np.searchsorted(self.keys, [user * self.item_count, (user + 1) * self.item_count])
        weights[self.keys[start:end] - user * self.item_count] = 0
        return rng.choice(self.item_count, size=count, p=weights / weights.sum())


def popularity_weights(popularity: np.ndarray, exponent: float = 0.75) -> np.ndarray:
    """popularity: [I] users per item; [I] weights of `NegativeSampler` (Mikolov et al. 2013, section 2.2: 3/4 beat 0 and 1)."""
    return np.asarray(popularity, dtype=np.float64) ** exponent


@dataclass(frozen=True)
class InBatch:
    """Row b asks: which of the batch's items did user b meet? Its own stands on the diagonal, the others are negatives."""

    log_q: np.ndarray  # [B] float32, to subtract from the logits of each column (Yi et al. 2019, equation 3)
    excluded: (
        np.ndarray
    )  # [B, B] bool: met by the user of the row in training, or the row's own item again: no negative


def in_batch(users: np.ndarray, items: np.ndarray, sampler: NegativeSampler, popularity: np.ndarray) -> InBatch:
    """users, items: [B] positives of a batch that was drawn from the events; popularity: [I] training events of each item.

    An item is in the batch as often as it is popular: log Q takes back what that would teach."""
    log_q = np.log(np.maximum(popularity[items], 1) / popularity.sum())
    unique, column = np.unique(items, return_inverse=True)  # (D,), (B,)
    place = np.full(sampler.item_count, -1)
    place[unique] = np.arange(len(unique))
    histories = sampler.matrix[users].tocoo()
    entry = place[histories.col]
    met = np.zeros((len(users), len(unique)), dtype=bool)
    met[histories.row[entry >= 0], entry[entry >= 0]] = True
    excluded = met[:, column] | (column[:, None] == column[None, :])  # (B, B)
    np.fill_diagonal(excluded, False)
    return InBatch(log_q.astype(np.float32), excluded)


def mask_histories(history: sp.csr_matrix, rng: np.random.Generator, share: float = 0.1) -> sp.csr_matrix:
    """Hides each entry of [B, I] with probability `share`."""
    entries = history.tocoo()
    keep = rng.random(entries.nnz) >= share
    kept = (entries.data[keep], (entries.row[keep], entries.col[keep]))
    return sp.csr_matrix(kept, shape=history.shape, dtype=history.dtype)


def mask_features(values: np.ndarray, defaults: np.ndarray, rng: np.random.Generator, share: float = 0.1) -> np.ndarray:
    """Replaces each of [B, F] with probability `share` by its column's default [F]: what serving puts where it knows nothing."""
    return np.where(rng.random(values.shape) < share, defaults.astype(values.dtype), values)
