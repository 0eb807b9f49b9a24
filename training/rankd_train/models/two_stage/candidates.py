"""Whom stage one retrieves for held-out items: what the ranker is asked to order after each epoch."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.models.two_stage.stage_one import StageOne
from rankd_train.progress import progress

CHUNK = 256  # users at once: [256, 5435, 2] floats are 11 MB


@dataclass(frozen=True)
class CandidateSet:
    """What stage one retrieves for U users, unseen items only; candidates sorted by user, then by item row."""

    user_row: Tensor  # [U] int64
    seen: sp.csr_matrix  # [U, I]
    row_user: Tensor  # [N] int64
    item: Tensor  # [N] int64
    pair: Tensor  # [N, P]
    target: Tensor  # [U] int64, the held-out item
    starts: Tensor  # [U + 1] int64, where each user's candidates begin

    def history(self) -> Histories:
        return Histories.of(self.seen)

    def select(self, users: Tensor) -> "CandidateSet":
        """The same for consecutive users only."""
        first, last = int(users[0]), int(users[-1]) + 1
        low, high = int(self.starts[first]), int(self.starts[last])
        return CandidateSet(
            user_row=self.user_row[first:last],
            seen=self.seen[first:last],
            row_user=self.row_user[low:high] - first,
            item=self.item[low:high],
            pair=self.pair[low:high],
            target=self.target[first:last],
            starts=self.starts[first : last + 1] - low,
        )

    def target_ranks(self, scores: Tensor) -> Tensor:
        """[U] int64: how many candidates stand before the target; a huge rank when it was not retrieved.

        scores: [N]. Ties go to the lower row, as in the engine."""
        users = len(self.user_row)
        is_target = self.item == self.target[self.row_user]  # (N,)
        of_target = torch.full((users,), torch.inf)
        of_target[self.row_user[is_target]] = scores[is_target]
        reference = of_target[self.row_user]
        earlier = (scores == reference) & (self.item < self.target[self.row_user])
        rank = torch.bincount(self.row_user[(scores > reference) | earlier], minlength=users)
        return torch.where(torch.isinf(of_target), torch.iinfo(torch.int64).max, rank)


def candidates_of(stage_one: StageOne, user_row: Tensor, seen: sp.csr_matrix, target: np.ndarray) -> CandidateSet:
    """Retrieves for each user with all of `seen` [U, I] as history."""
    row_users, items, pairs = [], [], []
    for start in progress(range(0, len(user_row), CHUNK), "retrieving candidates"):
        chunk = slice(start, start + CHUNK)
        scores = stage_one.scores(user_row[chunk], seen[chunk])  # (U, I, P)
        found = stage_one.retrieved(scores) & ~(torch.from_numpy(seen[chunk].toarray()) > 0)
        user, item = found.nonzero(as_tuple=True)
        row_users.append(user + start)
        items.append(item)
        pairs.append(scores[user, item])
    row_user = torch.cat(row_users)
    counts = torch.bincount(row_user, minlength=len(user_row))
    return CandidateSet(
        user_row=user_row,
        seen=seen,
        row_user=row_user,
        item=torch.cat(items),
        pair=torch.cat(pairs),
        target=torch.from_numpy(np.asarray(target)),
        starts=torch.cat([torch.zeros(1, dtype=torch.long), torch.cumsum(counts, 0)]),
    )
