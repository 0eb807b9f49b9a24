"""Ranks the whole catalogue for every user, the user's training items left out."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.evaluation.leave_one_out import Answers
from rankd_train.models.hybrid import HybridRanker
from rankd_train.models.ranker import RankerTables
from rankd_train.models.stage_one import StageOne
from rankd_train.progress import progress

# Scores of all items for some users: (numbers of the users [B], their training items [B, I]) -> [B, I].
ScoreAll = Callable[[np.ndarray, sp.csr_matrix], np.ndarray]


def rank_all(
    score: ScoreAll, train: sp.csr_matrix, users: np.ndarray, target: np.ndarray, k: int, chunk: int = 512
) -> Answers:
    """train: [U, I]; users: [B] numbers of those who are asked; target: [B] their held-out items."""
    ranks, tops = [], []
    for start in progress(range(0, len(users), chunk), "ranking all items"):
        asked = users[start : start + chunk]
        seen = train[asked]
        scores = np.array(score(asked, seen), dtype=np.float32)  # (B, I), ours to change
        scores[seen.nonzero()] = -np.inf
        ranks.append(rank_of(scores, target[start : start + chunk]))
        tops.append(best_rows(scores, k))
    return Answers(np.concatenate(ranks), np.concatenate(tops))


def rank_of(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[B]: how many items stand before the target; ties go to the lower row."""
    rows = np.arange(len(target))
    of_target = scores[rows, target][:, None]
    earlier = (scores == of_target) & (np.arange(scores.shape[1])[None] < target[:, None])
    return ((scores > of_target) | earlier).sum(axis=1)


def best_rows(scores: np.ndarray, k: int) -> np.ndarray:
    """[B, k] item rows, best first. Ties inside the list go to the lower row; at its edge to any."""
    rows = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(scores, rows, axis=1), axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1)


def by_popularity(popularity: np.ndarray) -> ScoreAll:
    return lambda users, _: np.broadcast_to(popularity.astype(np.float32), (len(users), len(popularity)))


def by_chance(item_count: int, seed: int) -> ScoreAll:
    rng = np.random.default_rng(seed)
    return lambda users, _: rng.random((len(users), item_count), dtype=np.float32)


def by_item_item(weights: np.ndarray | sp.csr_matrix) -> ScoreAll:
    """weights: [I, I], history [B, I] @ weights."""
    if sp.issparse(weights):
        return lambda _, seen: (seen @ weights).toarray()
    return lambda _, seen: seen @ weights


def by_towers(stage_one: StageOne) -> ScoreAll:
    return lambda users, seen: stage_one.scores(torch.from_numpy(users + 1), seen)[:, :, 1].numpy()


def by_ranker(network: HybridRanker, tables: RankerTables, stage_one: StageOne) -> ScoreAll:
    """The ranker over every item, not only over what was retrieved; small chunks, since each pair is a row."""

    @torch.no_grad()
    def score(users: np.ndarray, seen: sp.csr_matrix) -> np.ndarray:
        user_row = torch.from_numpy(users + 1)
        pair = stage_one.scores(user_row, seen).flatten(0, 1)  # (B * I, P)
        items = seen.shape[1]
        row_user = torch.arange(len(users)).repeat_interleave(items)
        item = torch.arange(items).repeat(len(users))
        rows: Tensor = network(*tables.gather(user_row, Histories.of(seen), row_user, item, pair))
        return rows.view(len(users), items).numpy()

    return score
