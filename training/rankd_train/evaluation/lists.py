"""What the lists are like beside being right: how much of the catalogue, how varied, how far from the charts, how surprising."""

import numpy as np
import scipy.sparse as sp
from scipy.stats import rankdata

from rankd_train.data.interactions import Items
from rankd_train.evaluation.metrics import PerUser
from rankd_train.evaluation.rankings import Rankings, flat

CHUNK = 256  # lists at once: 2,560 rows of item vectors
LIST_K = 10  # places of a list that are looked at, as in seed 001


def list_figures(rankings: Rankings, history: sp.csr_matrix, vectors: sp.csr_matrix) -> dict[str, PerUser]:
    """Of the first ten places. history: [U, I] 0/1; vectors: [I, C], see `item_vectors`. An empty list has no figures.

    diversity         mean of 1 - cosine over all pairs of a list (Ziegler et al. 2005, as dissimilarity)
    novelty           mean popularity rank: 0 = the least popular item, 1 = the most popular. As in seed 001, lower is more novel.
    self_information  mean of -log2(share of users who met the item) in bits (Vargas & Castells 2011); higher is more novel
    serendipity       share of places with a relevant item that the plain list of popular items does not have (Ge et al. 2010)
    """
    top = rankings.top[:, :LIST_K]
    popularity = np.bincount(history.indices, minlength=history.shape[1])
    place = (rankdata(popularity) - 1) / max(len(popularity) - 1, 1)
    information = -np.log2(np.maximum(popularity, 1) / history.shape[0])
    surprise = relevant_places(rankings) & ~expected_places(top, history[rankings.users], popularity)
    return {
        "diversity": PerUser.mean(dissimilarity(top, vectors)),
        "novelty": mean_of_places(place[top], top),
        "self_information": mean_of_places(information[top], top),
        "serendipity": mean_of_places(surprise, top),
    }


def coverage(top: np.ndarray, items: int) -> float:
    """Share of the catalogue that stands in the first ten places of at least one list."""
    shown = top[:, :LIST_K]
    return len(np.unique(shown[shown >= 0])) / items


def mean_of_places(values: np.ndarray, top: np.ndarray) -> PerUser:
    """values, top: [Q, K]. Mean over the places that hold an item."""
    filled = top >= 0
    count = filled.sum(axis=1)
    total = np.where(filled, values, 0).sum(axis=1)
    return PerUser.mean(np.divide(total, count, out=np.full(len(top), np.nan), where=count > 0))


def item_vectors(items: Items, history: sp.csr_matrix) -> tuple[sp.csr_matrix, str]:
    """Unit rows [I, C], and what they are made of: categories and tags, or else which users met the item.

    An item of which nothing is known has a row of zeros: it is unlike every other."""
    if items.categories is None and items.tags is None:
        return unit_rows(history.T.tocsr()), "co-occurrence"
    columns: dict[tuple[str, str], int] = {}
    row, column = [], []
    for kind, labels in (("category", items.categories), ("tag", items.tags)):
        for item, names in enumerate(labels or ()):
            for name in set(names):
                row.append(item)
                column.append(columns.setdefault((kind, name), len(columns)))
    shape = (len(items.ids), max(len(columns), 1))
    present = sp.csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape)
    return unit_rows(present), " and ".join(
        kind for kind, labels in (("categories", items.categories), ("tags", items.tags)) if labels is not None
    )


def unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    length = np.sqrt(row_squares(matrix))
    return sp.csr_matrix(matrix.multiply(1 / np.where(length > 0, length, 1)[:, None]), dtype=np.float32)


def row_squares(matrix: sp.csr_matrix) -> np.ndarray:
    return np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()


def dissimilarity(top: np.ndarray, vectors: sp.csr_matrix) -> np.ndarray:
    """[Q], NaN for a list of fewer than two items. The sum of all cosines of a list is the square of the sum of its rows."""
    own = row_squares(vectors)  # (I,) 1, or 0 for an unknown item
    similar = np.empty(len(top))
    for first in range(0, len(top), CHUNK):
        part = top[first : first + CHUNK]
        user, place = np.nonzero(part >= 0)
        item = part[user, place]
        lists = sp.csr_matrix((np.ones(len(user), dtype=np.float32), (user, item)), shape=(len(part), len(own)))
        total = lists @ vectors  # (B, C)
        similar[first : first + CHUNK] = row_squares(total) - lists @ own
    count = (top >= 0).sum(axis=1)
    pairs = count * (count - 1)
    return 1 - np.divide(similar, pairs, out=np.full(len(top), np.nan), where=pairs > 0)


def relevant_places(rankings: Rankings) -> np.ndarray:
    """[Q, 10] bool: the places with a hit."""
    ranked = rankings.only_relevant()
    hit = np.zeros((len(ranked.users), LIST_K), dtype=bool)
    user = np.repeat(np.arange(len(ranked.users)), np.diff(ranked.starts))
    found = ranked.rank < np.minimum(LIST_K, np.repeat(ranked.candidates, np.diff(ranked.starts)))
    hit[user[found], ranked.rank[found]] = True
    return hit[:, : rankings.top.shape[1]]


def expected_places(top: np.ndarray, met: sp.csr_matrix, popularity: np.ndarray) -> np.ndarray:
    """[Q, K] bool: the places with an item that is among the first K of the popular list, the user's history left out.

    top: [Q, K]; met: [Q, I] 0/1; popularity: [I]."""
    order = np.argsort(-popularity, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    by_place = sp.csr_matrix((met.data, place[met.indices], met.indptr), shape=met.shape)
    by_place.sort_indices()
    asked = np.arange(len(top), dtype=np.int64)[:, None] * len(order) + place[top]  # (Q, K)
    popular_met = np.searchsorted(flat(by_place), asked) - by_place.indptr[:-1, None]  # of the user's, more popular
    return place[top] - popular_met < top.shape[1]
