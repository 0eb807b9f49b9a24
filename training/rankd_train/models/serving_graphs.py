"""The small graphs by which the engine scores models that are mostly tables. U users share N candidates."""

import numpy as np
import torch
from torch import Tensor, nn

from rankd_train.models.recommender import TrainingSet


def candidate_count(data: TrainingSet) -> int:
    """How many items a source retrieves: the engine drops what the user has met afterwards, so that 100 are left even of
    a history longer than those of 99 users in 100."""
    lengths = np.diff(data.matrix.indptr)
    return int(min(data.shape[1], 100 + np.percentile(lengths, 99)))


class SourceScore(nn.Module):
    """What a retrieval source gives a candidate is its score."""

    def forward(self, source_score: Tensor) -> Tensor:
        """source_score: (N, 1). Returns (N,)."""
        return source_score.squeeze(1)


class ColumnScore(nn.Module):
    """A column of the item is its score, whoever asks."""

    def forward(self, item_score: Tensor) -> Tensor:
        """item_score: (N, 1). Returns (N,)."""
        return item_score.squeeze(1)


class UserVector(nn.Module):
    """offset + sum of the history's rows / (base + count · growth), by dimension; see `factors.FoldIn`."""

    def __init__(self, base: np.ndarray, growth: np.ndarray):
        super().__init__()
        self.register_buffer("base", torch.from_numpy(base))
        self.register_buffer("growth", torch.from_numpy(growth))

    def forward(self, user_offset: Tensor, history_sum: Tensor, history_count: Tensor) -> Tensor:
        """user_offset, history_sum: (U, D); history_count: (U, 1). Returns (U, D)."""
        count = history_count.clamp(min=1)  # an empty history sums to zeros; it must not divide by zero
        return user_offset + history_sum / (self.base + count * self.growth)


class FactorScore(nn.Module):
    """The dot product of user and item vector; a user's vector is made once for all its candidates."""

    def __init__(self, user: UserVector):
        super().__init__()
        self.user = user

    def forward(
        self, user_offset: Tensor, history_sum: Tensor, history_count: Tensor, row_user: Tensor, item: Tensor
    ) -> Tensor:
        """User inputs as in UserVector; row_user: (N,) int64; item: (N, D). Returns (N,)."""
        user = self.user(user_offset, history_sum, history_count)  # (U, D)
        return (user.index_select(0, row_user) * item).sum(dim=1)  # (N,)


class SegmentOfUser(nn.Module):
    """A one at the nearest centre, zeros elsewhere."""

    def __init__(self, centres: np.ndarray, unit: bool):
        """centres: (S, W); unit: whether descriptions are brought to unit length first."""
        super().__init__()
        self.unit = unit
        self.register_buffer("centres", torch.from_numpy(centres))
        self.register_buffer("half_squares", 0.5 * (self.centres**2).sum(dim=1))

    def forward(self, described: Tensor) -> Tensor:
        """described: (U, W). Returns (U, S)."""
        if self.unit:
            described = described / described.norm(dim=1, keepdim=True).clamp(min=1e-12)
        nearness = described @ self.centres.T - self.half_squares  # (U, S), largest where the distance is smallest
        numbers = torch.arange(nearness.shape[1])
        return (nearness.argmax(dim=1, keepdim=True) == numbers).float()


class SegmentScore(nn.Module):
    """An item's popularity in the user's segment."""

    def __init__(self, segment: SegmentOfUser):
        super().__init__()
        self.segment = segment

    def forward(self, described: Tensor, row_user: Tensor, popular: Tensor) -> Tensor:
        """described: (U, W); row_user: (N,) int64; popular: (N, S). Returns (N,)."""
        return (self.segment(described).index_select(0, row_user) * popular).sum(dim=1)
