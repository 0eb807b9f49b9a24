"""Trains the two towers: show a part of a history, guess the rest."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.losses import mask_users, sampled_softmax_loss
from rankd_train.models.two_tower import TwoTower
from rankd_train.training.order import epoch_generator, shuffled_batches


class TowerTask:
    """One batch is a set of users; their items come as rows of the training matrix."""

    name = "towers"
    metric = "val_recall@100"

    def __init__(self, model: TwoTower, train: sp.csr_matrix, validation: np.ndarray, seed: int):
        """train: [U, I]; validation: [U], the item that each user is asked for after every epoch."""
        self.module = model
        self.train_matrix = train
        self.target = torch.from_numpy(validation)
        # Popular items are drawn more often, as they are what must be told apart; the loss corrects for it.
        popularity = torch.from_numpy(np.asarray(train.sum(axis=0)).ravel())
        smoothed = (popularity + 1) ** 0.75  # the exponent of word2vec (Mikolov et al. 2013)
        self.frequency = smoothed / smoothed.sum()  # [I]
        self.seed = seed

    def batches(self, epoch: int) -> Iterator[Tensor]:
        self.generator = epoch_generator(self.seed, epoch)
        return shuffled_batches(len(self.target), self.module.config.batch_users, self.generator)

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
        ranks = torch.cat([self.target_ranks(users) for users in torch.arange(len(self.target)).split(512)])
        return {
            f"val_{name}": float((ranks < depth).float().mean()) for name, depth in (("recall@100", 100), ("hr@10", 10))
        }

    def target_ranks(self, users: Tensor) -> Tensor:
        """How many items that the user does not have score higher, [U]."""
        items = Histories.of(self.train_matrix[users.numpy()])
        scores = self.module.user_vectors(users + 1, items) @ self.module.item_vectors().T  # (U, I)
        scores[items.user, items.item] = -torch.inf
        of_target = scores.gather(1, self.target[users][:, None])  # (U, 1)
        return (scores > of_target).sum(dim=1)  # (U,)
