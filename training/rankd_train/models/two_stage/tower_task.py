"""Trains the two towers: show a part of a history, guess the rest."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.data.interactions import Events
from rankd_train.losses import mask_users, sampled_softmax_loss
from rankd_train.models.two_stage.towers import TwoTower
from rankd_train.training.order import epoch_generator, shuffled_batches


class TowerTask:
    """One batch is a set of users; their items come as rows of the training matrix."""

    name = "towers"
    metric = "val_recall@100"

    def __init__(self, model: TwoTower, train: sp.csr_matrix, validation: Events | None, seed: int):
        """train: [U, I]; validation: what is asked for after every epoch, None where a plan decides."""
        self.module = model
        self.train_matrix = train
        self.users = torch.from_numpy(np.flatnonzero(np.diff(train.indptr)))  # who has anything to learn from
        self.validation = validation
        # Popular items are drawn more often, as they are what must be told apart; the loss corrects for it.
        popularity = torch.from_numpy(np.asarray(train.sum(axis=0)).ravel())
        smoothed = (popularity + 1) ** 0.75  # the exponent of word2vec (Mikolov et al. 2013)
        self.frequency = smoothed / smoothed.sum()  # [I]
        self.seed = seed

    def batches(self, epoch: int) -> Iterator[Tensor]:
        self.generator = epoch_generator(self.seed, epoch)
        places = shuffled_batches(len(self.users), self.module.config.batch_users, self.generator)
        return (self.users[batch] for batch in places)

    def loss(self, users: Tensor) -> Tensor:
        config = self.module.config
        items = Histories.of(self.train_matrix[users.numpy()])
        shown, targets = items.split(config.min_history_share, config.max_history_share, self.generator)
        rows = mask_users(users + 1, config.mask_user, self.generator)
        queries = self.module.user_vectors(rows, shown) / config.temperature  # (U, D)
        drawn = torch.multinomial(self.frequency, config.negatives, replacement=True, generator=self.generator)  # (S,)
        vectors = self.module.item_vectors(torch.cat([drawn, targets.item]))  # (S + E, D)
        negative = queries @ vectors[: len(drawn)].T  # (U, S)
        positive = (queries[targets.user] * vectors[len(drawn) :]).sum(dim=1)  # (E,)
        return sampled_softmax_loss(positive, negative, len(drawn) * self.frequency[drawn], targets)

    def validate(self) -> dict[str, float]:
        """Recall@100 is what a retriever is for; HR@10 is told beside it."""
        ranks = torch.cat([self.target_ranks(asked) for asked in torch.arange(len(self.validation)).split(512)])
        return {
            f"val_{name}": float((ranks < depth).float().mean()) for name, depth in (("recall@100", 100), ("hr@10", 10))
        }

    def target_ranks(self, asked: Tensor) -> Tensor:
        """asked: [B] places of `validation`. How many items that the user does not have score higher, [B]."""
        users = torch.from_numpy(self.validation.user)[asked]
        target = torch.from_numpy(self.validation.item)[asked]
        items = Histories.of(self.train_matrix[users.numpy()])
        scores = self.module.user_vectors(users + 1, items) @ self.module.item_vectors().T  # (B, I)
        scores[items.user, items.item] = -torch.inf
        of_target = scores.gather(1, target[:, None])  # (B, 1)
        return (scores > of_target).sum(dim=1)
