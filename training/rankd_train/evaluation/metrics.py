"""Metrics as seed 001 defines them, kept per user, so that means, segments and resamples are all one division.

With R relevant items of a user and the hits among the first k:
precision@k = hits / k, recall@k = hits / R, hr@k = 1 if there is a hit,
ndcg@k = DCG@k / IDCG@k with DCG@k = Σ rel_i / log2(i + 1) and IDCG@k that of min(R, k) hits in front,
map@k = Σ precision@i over the hits i ≤ k / min(R, k), map the same over all ranks, mrr = 1 / (place of the first),
auc = share of (relevant, other) candidates in the right order."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rankd_train.evaluation.rankings import Rankings


@dataclass(frozen=True)
class PerUser:
    """f(Σ total / Σ weight) over users, where f is the identity or the square root."""

    total: np.ndarray  # [Q] float64
    weight: np.ndarray  # [Q] float64; 0 for a user to whom the metric does not apply
    root: bool = False

    @staticmethod
    def mean(values: np.ndarray) -> "PerUser":
        """values: [Q], NaN where the metric does not apply."""
        applies = ~np.isnan(values)
        return PerUser(np.where(applies, values, 0.0), applies.astype(np.float64))

    def value(self, users: np.ndarray | None = None) -> float:
        """users: [Q] bool, None = all. NaN where the metric applies to nobody."""
        chosen = slice(None) if users is None else users
        weight = self.weight[chosen].sum()
        if weight == 0:
            return float("nan")
        value = self.total[chosen].sum() / weight
        return float(np.sqrt(value) if self.root else value)


Figures = Mapping[str, PerUser]


def ranking_figures(rankings: Rankings, ks: tuple[int, ...]) -> dict[str, PerUser]:
    ranked = rankings.only_relevant()
    rank, count = ranked.rank, np.diff(ranked.starts)  # (R,), (Q,)
    place = np.arange(len(rank)) - np.repeat(ranked.starts[:-1], count)  # (R,) among the user's own, 0 the best
    everyone = np.repeat(ranked.candidates, count)

    def per_user(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, ranked.starts[:-1])  # (R,) -> (Q,)

    gain = 1 / np.log2(rank + 2)
    precision = np.where(rank < everyone, (place + 1) / (rank + 1), 0)  # of the list that ends with this item
    ideal = np.cumsum(1 / np.log2(np.arange(2, max(ks) + 2)))
    figures = {}
    for k in ks:
        found = rank < np.minimum(k, everyone)
        hits = per_user(found.astype(np.float64))
        possible = np.minimum(count, k)
        figures[f"precision@{k}"] = hits / k
        figures[f"recall@{k}"] = hits / count
        figures[f"hr@{k}"] = (hits > 0).astype(np.float64)
        figures[f"ndcg@{k}"] = per_user(np.where(found, gain, 0)) / ideal[possible - 1]
        figures[f"map@{k}"] = per_user(np.where(found, precision, 0)) / possible
    figures["map"] = per_user(precision) / count
    first = rank[ranked.starts[:-1]]
    figures["mrr"] = np.where(first < ranked.candidates, 1 / (first + 1), 0)
    figures["auc"] = auc(per_user(np.minimum(rank - place, everyone - np.repeat(count, count))), count, ranked)
    return {name: PerUser.mean(values) for name, values in figures.items()}


def auc(wrong: np.ndarray, count: np.ndarray, ranked: Rankings) -> np.ndarray:
    """wrong: [Q] pairs whose other item stands first. NaN for a user whose candidates are all relevant.

    Ties are ordered by row, as everywhere here, and not counted half."""
    pairs = count * (ranked.candidates - count)
    return np.divide(pairs - wrong, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def graded_figures(rankings: Rankings, ks: tuple[int, ...]) -> dict[str, PerUser]:
    """ndcg_graded@k: the value of an opinion as rel_i, 0 for what the user gave none; ideal: the user's own, best first."""
    user = np.repeat(np.arange(len(rankings.users)), np.diff(rankings.starts))
    place = np.arange(len(user)) - rankings.starts[:-1][user]
    best_first = rankings.gains[np.lexsort((-rankings.gains, user))]
    figures = {}
    for k in ks:
        own = np.where(rankings.rank < k, rankings.gains / np.log2(rankings.rank + 2), 0)
        ideal = np.where(place < k, best_first / np.log2(place + 2), 0)
        got, possible = (np.add.reduceat(values, rankings.starts[:-1]) for values in (own, ideal))
        figures[f"ndcg_graded@{k}"] = PerUser.mean(
            np.divide(got, possible, out=np.full(len(got), np.nan), where=possible > 0)
        )
    return figures


def error_figures(predicted: np.ndarray, actual: np.ndarray, user: np.ndarray, users: int) -> dict[str, PerUser]:
    """predicted, actual: [N]; user: [N] in [0, users). Means over pairs, not over users."""
    error = predicted.astype(np.float64) - actual
    count, squared, absolute = (
        np.bincount(user, values, users) for values in (np.ones(len(user)), error**2, abs(error))
    )
    return {"rmse": PerUser(squared, count, root=True), "mae": PerUser(absolute, count)}
