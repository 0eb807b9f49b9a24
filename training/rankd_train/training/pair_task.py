"""Trains a pair network on what users met, against items drawn anew in every epoch or against the rest of the batch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rankd_train.data.sampling import NegativeSampler, in_batch
from rankd_train.errors import ConfigError, DataError
from rankd_train.losses import binary_cross_entropy, in_batch_softmax, mean_squared_error
from rankd_train.models.pair_network import PairNetwork, PairRecommender
from rankd_train.models.recommender import TrainingSet
from rankd_train.training.held_out import HeldOut


@dataclass(frozen=True)
class PairTraining:
    """What the families of pair networks have in common, beside how their weights are moved."""

    # bce: He et al. 2017, equation 7; mse, after the sigmoid: seed 001; in-batch: softmax among the positives of the
    # batch, corrected for their popularity (Yi et al. 2019), which draws no negatives.
    loss: Literal["bce", "mse", "in-batch"] = "bce"
    negatives: int = 4  # drawn for each positive
    mask_users: float = 0.1  # how often a positive is trained as the unknown user's, row 0
    positive_from: float = (
        0.0  # of explicit data: the lowest value that is a positive; the others are no negatives either
    )
    watch: Literal["ndcg@10", "hr@10"] = "ndcg@10"  # of validation: decides on epochs and plateaus
    validation_users: int = 2_000  # asks a sample of so many; 0 = all

    def __post_init__(self) -> None:
        if self.negatives < 1:
            raise ConfigError(f'"model.training.negatives" must be above 0, got {self.negatives}')
        if not 0 <= self.mask_users < 1:
            raise ConfigError(f'"model.training.mask_users" must be in [0, 1), got {self.mask_users}')


@dataclass(frozen=True)
class PairBatch:
    user: np.ndarray  # [B] who met the positive
    row: Tensor  # (B,) int64 user rows, 0 where the user is hidden
    item: Tensor  # (B, 1 + K) int64, the positive first

    def __len__(self) -> int:
        return len(self.row)


class PairTask:
    def __init__(
        self, name: str, network: PairNetwork, data: TrainingSet, training: PairTraining, pairs: int, seed: int
    ):
        """pairs: that a batch scores, positives and negatives together."""
        self.name = name
        self.module = network
        self.metric = f"val_{training.watch}"
        self.data = data
        self.training = training
        self.seed = seed
        self.sampler = NegativeSampler(data.matrix)
        events = data.events
        # Who met every item has no negative to learn from.
        keep = ~self.sampler.nothing_left[events.user]
        if data.explicit:
            keep &= events.value >= training.positive_from
        if not keep.any():
            raise DataError(
                f"{name}: none of {len(events)} training events can be learned from: every user met every item, or no value "
                f'reaches "model.training.positive_from" ({training.positive_from:g})'
            )
        self.user, self.item = events.user[keep], events.item[keep]  # [P]
        among_each_other = training.loss == "in-batch"
        self.drawn = 0 if among_each_other else training.negatives
        self.batch = max(2, math.isqrt(pairs)) if among_each_other else max(1, pairs // (1 + self.drawn))
        self.held_out = None if data.validation is None else HeldOut.of(data, training.validation_users, seed)

    def batches(self, epoch: int) -> Iterator[PairBatch]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.user))
        user, item = self.user[order], self.item[order][:, None]
        hidden = rng.random(len(user)) < self.training.mask_users
        row = torch.from_numpy(np.where(hidden, 0, user + 1))  # (P,)
        if self.drawn:
            item = np.concatenate([item, self.sampler.draw(user, rng, self.drawn)], axis=1)
        items = torch.from_numpy(item)  # (P, 1 + K)
        for start in range(0, len(user), self.batch):
            part = slice(start, start + self.batch)
            yield PairBatch(user[part], row[part], items[part])

    def loss(self, batch: PairBatch) -> Tensor:
        device = next(self.module.parameters()).device
        row, item = batch.row.to(device), batch.item.to(device)
        if self.training.loss == "in-batch":
            among = in_batch(batch.user, batch.item[:, 0].numpy(), self.sampler, self.data.popularity)
            logits = self.module.every_pair(row, item[:, 0]).float()  # (B, B)
            log_q, excluded = torch.from_numpy(among.log_q), torch.from_numpy(among.excluded)
            return in_batch_softmax(logits, log_q.to(device), excluded.to(device))
        logits = self.module(row, item).float()  # (B, 1 + K)
        labels = torch.zeros_like(logits)
        labels[:, 0] = 1
        return (mean_squared_error if self.training.loss == "mse" else binary_cross_entropy)(logits, labels)

    def validate(self) -> dict[str, float]:
        return self.held_out.ask(PairRecommender(self.module, self.data))
