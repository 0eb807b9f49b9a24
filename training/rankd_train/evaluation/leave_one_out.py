"""Ranking metrics of leave-one-out: one relevant item per user, and its rank decides everything."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answers:
    """What a recommender gave to every user."""

    rank: np.ndarray  # [U] int64, how many items stand before the held-out one; at least `K` when it is not in `top`
    top: np.ndarray  # [U, K] int64 item rows, best first, -1 where there are fewer


def ranking_metrics(answers: Answers, item_count: int, k: int = 10) -> dict[str, float]:
    """Means over users. With one relevant item recall equals the hit rate and average precision the reciprocal rank."""
    rank = answers.rank
    hit = rank < k
    at_k = np.where(hit, rank, 0)
    half = rank < k // 2
    return {
        f"hr@{k}": float(hit.mean()),
        f"recall@{k}": float(hit.mean()),
        f"recall@{k // 2}": float(half.mean()),
        f"precision@{k}": float(hit.mean() / k),
        f"precision@{k // 2}": float(half.mean() / (k // 2)),
        f"ndcg@{k}": float(np.where(hit, 1 / np.log2(at_k + 2), 0).mean()),
        f"ndcg@{k // 2}": float(np.where(half, 1 / np.log2(at_k + 2), 0).mean()),
        f"map@{k}": float(np.where(hit, 1 / (at_k + 1), 0).mean()),
        f"mrr@{k}": float(np.where(hit, 1 / (at_k + 1), 0).mean()),
        f"coverage@{k}": float(len(np.unique(answers.top[:, :k][answers.top[:, :k] >= 0])) / item_count),
    }


def bootstrap_interval(rank: np.ndarray, k: int, samples: int, seed: int) -> tuple[float, float]:
    """95 % interval of the hit rate: users drawn with replacement (Efron 1979, percentile method).

    Users are independent and a hit is yes or no, so each resample's count of hits is one binomial draw."""
    rng = np.random.default_rng(seed)
    rates = rng.binomial(len(rank), float((rank < k).mean()), size=samples) / len(rank)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


def list_metrics(top: np.ndarray, popularity: np.ndarray, content: np.ndarray) -> dict[str, float]:
    """What the lists look like. top: [U, K]; popularity: [I]; content: [I, C] unit rows.

    diversity: mean of 1 - cosine between the descriptions within a list; novelty: mean popularity rank, 0 = most
    popular, 1 = least (the seed counts lower as more novel on raw ranks; here higher is further from the charts)."""
    full = top[(top >= 0).all(axis=1)]
    vectors = content[full]  # (U, K, C)
    width = full.shape[1]
    total = np.square(vectors.sum(axis=1)).sum(axis=1)  # (U,) sum of all pairwise cosines, the diagonal included
    diagonal = np.square(vectors).sum(axis=(1, 2))
    similarity = (total - diagonal) / (width * (width - 1))
    place = np.empty(len(popularity))
    place[np.argsort(-popularity, kind="stable")] = np.linspace(0, 1, len(popularity))
    return {"diversity": float(1 - similarity.mean()), "novelty": float(place[full].mean())}


def equal_opportunity(rank: np.ndarray, groups: np.ndarray, k: int = 10) -> dict[str, float]:
    """Hit rate by group of users, and the largest difference between two groups (equal opportunity)."""
    rates = {str(group): float((rank[groups == group] < k).mean()) for group in np.unique(groups)}
    return {**rates, "difference": max(rates.values()) - min(rates.values())}
