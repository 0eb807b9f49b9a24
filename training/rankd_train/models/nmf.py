"""Non-negative matrix factorisation (Lee & Seung 1999): users and items as mixtures of parts that only add up.

Ratings: masked multiplicative updates over what was rated (`masked_nmf`); a missing rating is missing.
Implicit: scikit-learn's NMF of the 0/1 matrix. There a zero is an observation, "was not met", and counts as one."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from rankd_train.models.bounds import check_bounds
from rankd_train.models.factors import FactorModel, Factors, learned_fold
from rankd_train.models.masked_nmf import masked_nmf
from rankd_train.models.observed import Ratings
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.svd import rank_within
from rankd_train.progress import progress, step


@dataclass(frozen=True)
class NmfConfig:
    factors: int = 15
    l2: float = 2.0  # on both sides
    iterations: int = 200  # at most; of ratings, validation chooses how many

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("factors", "iterations"), not_negative=("l2",))


def fit(config: NmfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    return fit_ratings(config, data, options) if data.explicit else fit_implicit(config, data, options)


def fit_ratings(config: NmfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    """Goes on for all iterations and keeps the one that validation likes best, or stops where an earlier fit did."""
    ratings = Ratings.of(data)
    iterations = options.choices.get("iterations", config.iterations)
    steps = masked_nmf(ratings, rank_within(config.factors, data), config.l2, iterations, options.seed)
    watched = data.validation if data.validation is not None and len(data.validation) else None
    history, best = [], np.inf
    for users, items in progress(steps, "masked NMF", unit="iterations", total=iterations):
        history.append({"train_rmse": rmse(ratings.value - ratings.predicted(users, items))})
        if watched is not None:
            predicted = np.einsum("nd,nd->n", users[watched.user], items[watched.item])
            error = rmse(watched.value - np.clip(predicted, ratings.value.min(), ratings.value.max()))
            history[-1]["validation_rmse"] = error
        if watched is None or error < best:
            best, kept, chosen = best if watched is None else error, (users, items), len(history)
    users, items = averages_for_the_unrated(ratings, *kept)
    return Fitted(FactorModel(rated_factors(users, items, data), data), history, {"iterations": chosen})


def rmse(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))


def averages_for_the_unrated(ratings: Ratings, users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nothing speaks for factors of zero where there are no ratings, though regularisation leads there."""
    filled = []
    for side, places in ((users, ratings.user), (items, ratings.item)):
        rated = np.bincount(places, minlength=len(side)) > 0
        filled.append(np.where(rated[:, None], side, side[rated].mean(axis=0)))
    return filled[0], filled[1]


def rated_factors(users: np.ndarray, items: np.ndarray, data: TrainingSet) -> Factors:
    """The unknown user is the average one; what a history says beyond that is the best linear map of it."""
    average = users.mean(axis=0)
    items = items.astype(np.float32)
    fold = learned_fold(users - average, items, data.matrix, mean=True)
    return Factors(np.vstack([average, users]).astype(np.float32), items, fold, similar=items)


def fit_implicit(config: NmfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    # scikit-learn multiplies its penalties by the other side's length: divided here, they mean the same as above.
    users, items = data.shape
    nmf = NMF(
        rank_within(config.factors, data),
        init="nndsvda",
        alpha_W=config.l2 / items,
        alpha_H=config.l2 / users,
        max_iter=config.iterations,
        random_state=options.seed,
    )
    with step(f"up to {config.iterations} iterations of NMF"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the bound on iterations is meant
        mixtures = nmf.fit_transform(data.matrix)  # (U, K)
    parts = np.ascontiguousarray(nmf.components_.T, dtype=np.float32)  # (I, K)
    fold = learned_fold(mixtures, parts, data.matrix, mean=False)
    unknown = np.zeros((1, mixtures.shape[1]))
    model = FactorModel(Factors(np.vstack([unknown, mixtures]).astype(np.float32), parts, fold, parts), data)
    return Fitted(model, [{"iterations": float(nmf.n_iter_), "error": float(nmf.reconstruction_err_)}])


def restore(config: NmfConfig, data: TrainingSet, state: dict[str, Tensor]) -> FactorModel:
    return FactorModel.restore(state, data)


FAMILY = Family(
    name="nmf",
    title="NMF",
    paper="implicit: Lee & Seung 1999; ratings: Zhang et al. 2006, weighted NMF",
    config=NmfConfig,
    fit=fit,
    restore=restore,
)
