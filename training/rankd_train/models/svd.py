"""Singular value decomposition, for ratings and for implicit data.

Ratings: what was not rated is missing, not zero. Biases are fitted first, and Soft-Impute (Mazumder et al. 2010) finds
the low-rank matrix of what they leave:  r(u, i) = mean + b_u + b_i + L(u, i).

Implicit: PureSVD (Cremonesi, Koren & Turrin 2010), where what was not met is a zero:  score(u, ·) = r_u V V', with the
first right singular vectors V of the user-item matrix. A user vector is the sum of its history's rows of V, so that a
user whom training never met is served exactly like one it knows."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import svds
from torch import Tensor

from rankd_train.errors import ConfigError
from rankd_train.models.bounds import check_bounds
from rankd_train.models.factors import FactorModel, Factors, FoldIn
from rankd_train.models.observed import Ratings, fit_biases, rating_factors
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.soft_impute import soft_impute
from rankd_train.progress import progress


@dataclass(frozen=True)
class SvdConfig:
    factors: int = 50  # of ratings the most that are kept; `shrink` decides
    # The rest is for ratings alone.
    shrink: float = 10.0  # taken from each singular value
    iterations: int = 40
    user_l2: float = 5.0  # on the bias of a user, in ratings
    item_l2: float = 5.0

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("factors", "iterations"), not_negative=("shrink", "user_l2", "item_l2"))


def fit(config: SvdConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    return fit_ratings(config, data, options) if data.explicit else fit_implicit(config, data, options)


def fit_ratings(config: SvdConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    ratings = Ratings.of(data)
    biases = fit_biases(ratings, config.user_l2, config.item_l2)
    rest = Ratings(ratings.user, ratings.item, ratings.value - biases.of(ratings), ratings.shape)
    history = []
    steps = soft_impute(rest, rank_within(config.factors, data), config.shrink, config.iterations, options.seed)
    for low in progress(steps, "Soft-Impute", unit="iterations", total=config.iterations):
        error = rest.value - rest.predicted(*low.halves())
        objective = 0.5 * float(error @ error) + config.shrink * float(low.values.sum())
        history.append({"objective": objective, "train_rmse": float(np.sqrt(np.mean(error**2)))})
    users, items = low.halves()
    return Fitted(FactorModel(rating_factors(users, items, biases, data), data), history)


def fit_implicit(config: SvdConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    rank = rank_within(config.factors, data)
    start = np.random.default_rng(options.seed).normal(size=min(data.shape))
    _, values, right = svds(data.matrix.astype(np.float64), k=rank, v0=start)
    items = np.ascontiguousarray(right.T, dtype=np.float32)  # (I, K)
    fold = FoldIn.of_sum(items)
    unknown = np.zeros((1, rank), dtype=np.float32)
    similar = (items * values).astype(np.float32)  # two items are as alike as the low-rank columns of the matrix
    return Fitted(FactorModel(Factors(np.vstack([unknown, fold.vectors(data.matrix)]), items, fold, similar), data))


def rank_within(factors: int, data: TrainingSet) -> int:
    """`svds` gives fewer singular vectors than the matrix has rows or columns."""
    if min(data.shape) < 2:
        users, items = data.shape
        raise ConfigError(f"a factorisation needs at least 2 users and 2 items, got {users} and {items}")
    return min(factors, min(data.shape) - 1)


def restore(config: SvdConfig, data: TrainingSet, state: dict[str, Tensor]) -> FactorModel:
    return FactorModel.restore(state, data)


FAMILY = Family(
    name="svd",
    title="SVD",
    paper="ratings: Mazumder et al. 2010, algorithm 1; implicit: Cremonesi et al. 2010, PureSVD",
    config=SvdConfig,
    fit=fit,
    restore=restore,
)
