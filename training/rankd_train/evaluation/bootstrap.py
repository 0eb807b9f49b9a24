"""How far the figures would move with other users: the percentile bootstrap (Efron 1979).

Users are drawn with replacement, all of a user's items with them. Every metric of a call, and both models of a comparison,
see the same draws."""

from collections.abc import Iterator

import numpy as np

from rankd_train.evaluation.metrics import Figures

CHUNK = 64  # resamples at once: [64, 30,000] counts are 15 MB


def intervals(figures: Figures, samples: int, seed: int, users: np.ndarray | None = None) -> dict[str, list[float]]:
    """95 % intervals [low, high] of each figure that has one. users: [Q] bool, those to draw from; None = all."""
    drawn = resampled(figures, samples, seed, users)
    return {name: percentiles(values) for name, values in drawn.items() if np.isfinite(values).any()}


def differences(figures: Figures, baseline: Figures, samples: int, seed: int) -> dict[str, dict[str, object]]:
    """Of each figure that both have: ours minus theirs on the same users, its interval, and whether that leaves zero out."""
    ours, theirs = (resampled(part, samples, seed) for part in (figures, baseline))
    result = {}
    for name in ours:
        if name not in theirs or not np.isfinite(ours[name] - theirs[name]).any():
            continue
        low, high = percentiles(ours[name] - theirs[name])
        difference = figures[name].value() - baseline[name].value()
        result[name] = {"difference": difference, "interval": [low, high], "significant": bool(low > 0 or high < 0)}
    return result


def resampled(figures: Figures, samples: int, seed: int, users: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """[samples] values of each figure."""
    if not figures:
        return {}
    chosen = slice(None) if users is None else users
    total = np.stack([figure.total[chosen] for figure in figures.values()], axis=1)  # (Q, F)
    weight = np.stack([figure.weight[chosen] for figure in figures.values()], axis=1)
    values = np.concatenate([divide(counts @ total, counts @ weight) for counts in draws(len(total), samples, seed)])
    return {
        name: np.sqrt(values[:, place]) if figure.root else values[:, place]
        for place, (name, figure) in enumerate(figures.items())
    }


def draws(users: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """[B, Q] how often each user was drawn, until there are `samples` of them."""
    rng = np.random.default_rng(seed)
    for first in range(0, samples, CHUNK):
        count = min(CHUNK, samples - first)
        yield np.stack([np.bincount(rng.integers(users, size=users), minlength=users) for _ in range(count)]).astype(
            float
        )


def divide(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)


def percentiles(values: np.ndarray) -> list[float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return [float(low), float(high)]
