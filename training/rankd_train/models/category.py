"""Popular items of the user's favourite categories (the category baseline of seed 001).

    score(u, j) = Σ over categories c of  P(c | u) · P(j | c),

P(c | u) the share of c in u's history, P(j | c) the share of j in what all users met of c. An item of several categories
counts for each in equal parts. A small share of overall popularity decides for a user without history, and between ties."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from torch import Tensor

from rankd_train.data.interactions import Items
from rankd_train.errors import ConfigError
from rankd_train.models.bounds import check_bounds
from rankd_train.models.factors import FactorModel, Factors, FoldIn
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet

OVERALL = 1e-3  # of the score is popularity whatever the category


@dataclass(frozen=True)
class CategoryConfig:
    max_categories: int = 200  # the largest ones; items of others have popularity alone

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("max_categories",))


def fit(config: CategoryConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    membership = category_shares(data.items, config.max_categories).toarray()  # (I, C)
    met = data.popularity.astype(np.float64)
    in_category = membership * met[:, None]
    within = in_category / np.maximum(in_category.sum(axis=0), 1)  # (I, C), columns sum to 1
    overall = met / max(met.sum(), 1)
    items = np.column_stack([within, overall]).astype(np.float32)  # (I, C + 1)
    unknown = np.zeros((1, items.shape[1]), dtype=np.float32)
    unknown[0, -1] = OVERALL
    fold = FoldIn.of_mean(np.pad(membership, ((0, 0), (0, 1))).astype(np.float32))
    users = unknown + fold.vectors(data.matrix)  # (U, C + 1)
    return Fitted(CategoryModel(Factors(np.vstack([unknown, users]), items, fold), data))


class CategoryModel(FactorModel):
    def ratings(self, users: np.ndarray, items: np.ndarray) -> None:
        """Shares of popularity are no ratings, also where the data are."""
        return None


def category_shares(items: Items, most: int) -> sp.csr_matrix:
    """[I, C] float64: 1 / how many categories an item has in each of them; C the `most` largest categories."""
    categories = items.categories or ()
    names = [name for own in categories for name in own]
    if not names:
        raise ConfigError("the category baseline needs categories, and the items of this set have none")
    known, place, size = np.unique(names, return_inverse=True, return_counts=True)
    row = np.repeat(np.arange(len(categories)), [len(own) for own in categories])
    share = 1 / np.bincount(row, minlength=len(categories))[row]
    largest = np.argsort(-size, kind="stable")[:most]
    return sp.csr_matrix((share, (row, place)), shape=(len(categories), len(known)))[:, largest]


def restore(config: CategoryConfig, data: TrainingSet, state: dict[str, Tensor]) -> CategoryModel:
    return CategoryModel.restore(state, data)


FAMILY = Family(
    name="category",
    title="Popular in favourite categories",
    paper="baseline",
    config=CategoryConfig,
    fit=fit,
    restore=restore,
)
