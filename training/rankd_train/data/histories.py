"""Histories of a batch of users in coordinate form: what a ragged list is to a tensor library."""

from dataclasses import dataclass

import scipy.sparse as sp
import torch
from torch import Tensor


@dataclass(frozen=True)
class Histories:
    """Entry e says that user `user[e]` of the batch has item `item[e]`; sorted by user."""

    user: Tensor  # [E] int64, 0..user_count-1
    item: Tensor  # [E] int64
    user_count: int

    @classmethod
    def of(cls, matrix: sp.csr_matrix) -> "Histories":
        """The histories that stand in the rows of a 0/1 matrix."""
        lengths = torch.from_numpy(matrix.indptr[1:] - matrix.indptr[:-1]).long()
        user = torch.repeat_interleave(torch.arange(matrix.shape[0]), lengths)
        return cls(user, torch.from_numpy(matrix.indices).long(), matrix.shape[0])

    def counts(self) -> Tensor:
        """[U, 1] float32: how many items each user has."""
        return torch.bincount(self.user, minlength=self.user_count).float()[:, None]

    def mean_of(self, rows: Tensor) -> Tensor:
        """Mean of each user's item rows. rows: [I, D]; returns [U, D], zeros for an empty history."""
        total = torch.zeros(self.user_count, rows.shape[1]).index_add(0, self.user, rows[self.item])
        return total / self.counts().clamp(min=1)

    def where(self, keep: Tensor) -> "Histories":
        """The entries for which `keep` [E] is True."""
        return Histories(self.user[keep], self.item[keep], self.user_count)

    def split(self, low: float, high: float, generator: torch.Generator) -> tuple["Histories", "Histories"]:
        """Cuts each user's items at random into some that are shown and some to be guessed.

        The shown share of a user is uniform in low..high."""
        share = low + (high - low) * torch.rand(self.user_count, generator=generator)  # (U,)
        shown = torch.rand(len(self.item), generator=generator) < share[self.user]  # (E,)
        return self.where(shown), self.where(~shown)
