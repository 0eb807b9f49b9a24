"""Alternating least squares, for implicit data and for ratings.

Implicit (Hu, Koren & Volinsky 2008, equations 3 to 5), by the library `implicit`: everything that was not met is a zero
of confidence 1, what was met a one of confidence c = 1 + alpha · value:

    minimise  Σ c (p − x_u · y_i)² + l2 (Σ |x_u|² + Σ |y_i|²);      x_u = (Y'Y + Y'(C_u − 1)Y + l2)⁻¹ Y'C_u p_u

Ratings (Zhou et al. 2008, ALS-WR): only what was rated is in the sum, and its l2 counts as often as a user or item has ratings:

    x_u = (Y_u'Y_u + rating_l2 n_u)⁻¹ Y_u' (r_u − biases)."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits
from torch import Tensor

from rankd_train.models.bounds import check_bounds
from rankd_train.models.factors import FactorModel, Factors, FoldIn
from rankd_train.models.observed import Ratings, fit_biases, rating_factors
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.progress import progress, step


@dataclass(frozen=True)
class AlsConfig:
    factors: int = 64
    iterations: int = 15
    # Of implicit data:
    l2: float = 10.0  # on each user and item; 1 to 100, more with more events and a larger alpha
    alpha: float = 10.0  # what a met item's value adds to the confidence 1 of one that was not met
    # Of ratings:
    rating_l2: float = 0.15  # on each user and item, per rating
    user_l2: float = 5.0  # on the bias of a user, in ratings
    item_l2: float = 5.0

    def __post_init__(self) -> None:
        check_bounds(
            self, above_zero=("factors", "iterations", "l2", "rating_l2"), not_negative=("alpha", "user_l2", "item_l2")
        )


def fit(config: AlsConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    return fit_ratings(config, data, options) if data.explicit else fit_implicit(config, data, options)


def fit_implicit(config: AlsConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    confidence = data.events.matrix(data.shape)  # (U, I)
    confidence.data = 1 + config.alpha * confidence.data
    # `implicit` runs threads of its own; BLAS threads inside them only wait for each other.
    with step(f"{config.iterations} iterations of ALS"), threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.l2,
            alpha=1.0,
            iterations=config.iterations,
            num_threads=options.threads,
            random_state=options.seed,
        )
        als.fit(confidence, show_progress=False)
        # The last half-step moved the items: users once more, exactly, so that they belong to these items.
        users = als.recalculate_user(np.arange(data.shape[0]), confidence)
    factors = foldable(users, als.item_factors, data.matrix, config.l2, config.alpha)
    return Fitted(FactorModel(factors, data))


def foldable(users: np.ndarray, items: np.ndarray, history: sp.csr_matrix, l2: float, alpha: float) -> Factors:
    """The same products in a basis in which a user is folded in by dimension, without a linear system to solve.

    A user of n items has x = (G + alpha Σ yy')⁻¹ (1 + alpha) Σ y over its items, G = Y'Y + l2. The first-order fold-in puts
    n C for the sum of yy', where C is its mean over all events. In the basis W of the generalised eigenvectors
    (W'GW = 1, W'CW = diag(v)) that is  z = (1 + alpha) Σ ỹ / (1 + alpha n v)  with  ỹ = W'y  and  x = Wz."""
    y = items.astype(np.float64)
    gram = y.T @ y + l2 * np.eye(y.shape[1])
    met = np.bincount(history.indices, minlength=len(y))
    mean_square = (y.T * met) @ y / max(met.sum(), 1)
    values, basis = scipy.linalg.eigh(mean_square, gram)
    turned_items = (y @ basis).astype(np.float32)  # (I, D)
    turned_users = np.linalg.solve(basis, users.T.astype(np.float64)).T  # (U, D), x = Wz
    base = np.full(len(values), 1 / (1 + alpha), dtype=np.float32)
    growth = (alpha / (1 + alpha) * np.maximum(values, 0)).astype(np.float32)
    unknown = np.zeros((1, len(values)))
    return Factors(
        np.vstack([unknown, turned_users]).astype(np.float32),
        turned_items,
        FoldIn(turned_items, base, growth),
        similar=items.astype(np.float32),
    )


def fit_ratings(config: AlsConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    ratings = Ratings.of(data)
    biases = fit_biases(ratings, config.user_l2, config.item_l2)
    rest = Ratings(ratings.user, ratings.item, ratings.value - biases.of(ratings), ratings.shape)
    by_user = rest.matrix()
    by_item = by_user.T.tocsr()
    items = np.random.default_rng(options.seed).normal(scale=0.1, size=(ratings.shape[1], config.factors))
    history = []
    with threadpool_limits(options.threads, "blas"):
        for _ in progress(range(config.iterations), "ALS-WR", unit="iterations"):
            users = solve_rows(by_user, items, config.rating_l2)
            items = solve_rows(by_item, users, config.rating_l2)
            error = rest.value - rest.predicted(users, items)
            history.append({"train_rmse": float(np.sqrt(np.mean(error**2)))})
        users = solve_rows(by_user, items, config.rating_l2)
    return Fitted(FactorModel(rating_factors(users, items, biases, data), data), history)


def solve_rows(values: sp.csr_matrix, others: np.ndarray, l2: float) -> np.ndarray:
    """One half-step: each row's least squares over its stored entries alone. values: [R, C]; others: [C, D].

    Returns [R, D] float64, zeros for a row without entries."""
    rows = np.zeros((values.shape[0], others.shape[1]))
    ridge = l2 * np.eye(others.shape[1])
    for row, (start, stop) in enumerate(zip(values.indptr, values.indptr[1:])):
        if start < stop:
            met = others[values.indices[start:stop]]  # (n, D)
            rows[row] = np.linalg.solve(met.T @ met + (stop - start) * ridge, met.T @ values.data[start:stop])
    return rows


def restore(config: AlsConfig, data: TrainingSet, state: dict[str, Tensor]) -> FactorModel:
    return FactorModel.restore(state, data)


FAMILY = Family(
    name="als",
    title="ALS",
    paper="implicit: Hu et al. 2008, equations 3 to 5; ratings: Zhou et al. 2008, ALS-WR",
    config=AlsConfig,
    fit=fit,
    restore=restore,
)
