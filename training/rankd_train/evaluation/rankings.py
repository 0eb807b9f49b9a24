"""Where the right items stand in a model's order: in that of all items, or of a few drawn ones to match a paper."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Events
from rankd_train.errors import TrainError
from rankd_train.models.recommender import Recommender
from rankd_train.progress import progress

CHUNK_SCORES = 2**23  # scores at once: 32 MiB as float32, and as much again to sort them


@dataclass(frozen=True)
class Question:
    """Whom to ask, and what would have been right. The R right items stand flat, sorted by user."""

    users: np.ndarray  # [Q] int64, each with at least one relevant item
    history: sp.csr_matrix  # [U, I] 0/1: told to the model, never an answer
    starts: np.ndarray  # [Q + 1] int64, where each user's items begin
    items: np.ndarray  # [R] int64
    gains: np.ndarray  # [R] float32: 1, or the value that an opinion gives the item
    relevant: np.ndarray  # [R] bool: an opinion may be a bad one
    negatives: np.ndarray | None  # [Q, M]: what the items are ranked among; None = all items

    def chunks(self, size: int) -> Iterator[tuple[int, int]]:
        for first in progress(range(0, len(self.users), size), "ranking"):
            yield first, min(first + size, len(self.users))


@dataclass(frozen=True)
class Rankings:
    """The answers. As in `Question`, but each user's items are sorted by rank."""

    users: np.ndarray  # [Q]
    starts: np.ndarray  # [Q + 1]
    items: np.ndarray  # [R]
    gains: np.ndarray  # [R]
    relevant: np.ndarray  # [R] bool
    rank: np.ndarray  # [R] int64: how many candidates stand before it; all of them if the model left it out with -inf
    candidates: np.ndarray  # [Q] int64: among how many
    top: np.ndarray  # [Q, K] int64 items, best first, -1 where there are fewer

    def only_relevant(self) -> "Rankings":
        if self.relevant.all():
            return self
        keep = self.relevant
        starts = np.concatenate([[0], np.cumsum(keep)])[self.starts]
        return Rankings(
            users=self.users,
            starts=starts,
            items=self.items[keep],
            gains=self.gains[keep],
            relevant=keep[keep],
            rank=self.rank[keep],
            candidates=self.candidates,
            top=self.top,
        )


def make_question(
    history: sp.csr_matrix,
    events: Events,
    users: np.ndarray | None = None,
    relevant_from: float | None = None,
    negatives: np.ndarray | None = None,
) -> Question:
    """history: [U, I] 0/1; users: [B] sorted, None = all; negatives: [U, M] as in `Split`.

    relevant_from: of opinions, the lowest that counts; None = whatever happened counts. Left out are users with nothing
    relevant in `events`, users without negatives where there are any, and items that the history holds already."""
    gains = events.matrix(history.shape, binary=relevant_from is None)
    row = np.repeat(np.arange(history.shape[0]), np.diff(gains.indptr))
    known = np.isin(flat(gains), flat(history), assume_unique=True)
    relevant = gains.data >= relevant_from if relevant_from is not None else np.ones(gains.nnz, dtype=bool)
    asked = np.bincount(row[relevant & ~known], minlength=history.shape[0]) > 0
    if users is not None:
        asked &= np.isin(np.arange(history.shape[0]), users)
    if negatives is not None:
        asked &= negatives[:, 0] >= 0
    if not asked.any():
        bound = "" if relevant_from is None else f" with a value of at least {relevant_from:g}"
        raise TrainError(f"nothing to rank: no user has a new item{bound} in this part of the split")
    keep = asked[row] & ~known
    return Question(
        users=np.flatnonzero(asked),
        history=history,
        starts=np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=len(asked))[asked])]),
        items=gains.indices[keep].astype(np.int64),
        gains=gains.data[keep],
        relevant=relevant[keep],
        negatives=None if negatives is None else negatives[asked],
    )


def flat(matrix: sp.csr_matrix) -> np.ndarray:
    """[nnz] int64, one number per cell."""
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return row * matrix.shape[1] + matrix.indices


def rank(model: Recommender, question: Question, k: int) -> Rankings:
    """The top k, and the rank of every right item; ties go to the lower row, as in the engine."""
    ranks = np.empty(len(question.items), dtype=np.int64)
    candidates = np.empty(len(question.users), dtype=np.int64)
    top = np.full((len(question.users), k), -1, dtype=np.int64)
    answers = answers_over_all(model, question) if question.negatives is None else answers_among_few(model, question)
    for place, (items, scores) in enumerate(answers):
        part = slice(question.starts[place], question.starts[place + 1])
        targets = np.searchsorted(items, question.items[part])
        candidates[place], ranks[part], best = order_row(scores, targets, k)
        top[place, : len(best)] = items[best]
    row = np.repeat(np.arange(len(question.users)), np.diff(question.starts))
    order = np.lexsort((ranks, row))
    return Rankings(
        users=question.users,
        starts=question.starts,
        items=question.items[order],
        gains=question.gains[order],
        relevant=question.relevant[order],
        rank=ranks[order],
        candidates=candidates,
        top=top,
    )


def answers_over_all(model: Recommender, question: Question) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each user: all items, and their scores, NaN where the history holds the item."""
    items = np.arange(question.history.shape[1])
    for first, end in question.chunks(max(1, CHUNK_SCORES // len(items))):
        users = question.users[first:end]
        history = question.history[users]
        scores = checked(np.array(model.scores(users, history), dtype=np.float32), users)  # (B, I), ours to change
        scores[history.nonzero()] = np.nan
        for row in scores:
            yield items, row


def answers_among_few(model: Recommender, question: Question) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each user: the right items and the drawn ones, each once and sorted, and their scores."""
    right = np.split(question.items, question.starts[1:-1])
    few = [np.union1d(own, drawn) for own, drawn in zip(right, question.negatives)]
    width = max(map(len, few))
    padded = np.zeros((len(few), width), dtype=np.int64)
    for row, items in zip(padded, few):
        row[: len(items)] = items
    for first, end in question.chunks(max(1, CHUNK_SCORES // question.history.shape[1])):
        users = question.users[first:end]
        scores = checked(model.pair_scores(users, padded[first:end], question.history[users]), users)  # (B, W)
        for items, row in zip(few[first:end], scores):
            yield items, row[: len(items)]


def checked(scores: np.ndarray, users: np.ndarray) -> np.ndarray:
    wrong = np.isnan(scores).any(axis=1) | np.isposinf(scores).any(axis=1)
    if wrong.any():
        raise TrainError(
            f"the model scores items of user {users[wrong][0]} with NaN or infinity: its training went astray "
            "(a lower learning rate or clipped gradients may help)"
        )
    return scores


def order_row(scores: np.ndarray, targets: np.ndarray, k: int) -> tuple[int, np.ndarray, np.ndarray]:
    """scores: [I], NaN where there is no candidate; targets: [r] places.

    Returns the number of candidates, the targets' ranks [r] and the best places, at most k. What the model left out with
    -inf is never among the best, and stands behind all."""
    ascending = np.sort(scores)  # NaN last
    count = int(np.searchsorted(ascending, np.nan))
    ascending = ascending[:count]
    own = scores[targets]
    below, up_to = (np.searchsorted(ascending, own, side=side) for side in ("left", "right"))
    ranks = count - up_to
    for place in np.flatnonzero(up_to - below > 1):  # ties, seldom
        ranks[place] += np.count_nonzero(scores[: targets[place]] == own[place])
    ranks[np.isneginf(own)] = count
    last = ascending[max(count - k, 0)] if count else np.nan
    before = np.flatnonzero(scores > last)
    before = before[np.argsort(-scores[before], kind="stable")]
    at_last = np.flatnonzero(scores == last)[: k - len(before)] if last > -np.inf else before[:0]
    return count, ranks, np.concatenate([before, at_last])
