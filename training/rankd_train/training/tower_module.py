"""Trains the two towers: show a part of a history, guess the rest."""

import numpy as np
import scipy.sparse as sp
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.losses import mask_users, sampled_softmax_loss
from rankd_train.models.two_tower import TwoTower


class TowerModule(LightningModule):
    """One batch is a set of users; their items come as rows of the training matrix."""

    def __init__(self, model: TwoTower, train: sp.csr_matrix, validation: np.ndarray, seed: int):
        """train: [U, I]; validation: [U], the item that each user is asked for after every epoch."""
        super().__init__()
        self.model = model
        self.train_matrix = train
        self.target = torch.from_numpy(validation)
        # Popular items are drawn more often, as they are what must be told apart; the loss corrects for it.
        popularity = torch.from_numpy(np.asarray(train.sum(axis=0)).ravel())
        smoothed = (popularity + 1) ** 0.75  # the exponent of word2vec (Mikolov et al. 2013)
        self.frequency = smoothed / smoothed.sum()  # [I]
        self.generator = torch.Generator().manual_seed(seed)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        (users,) = batch
        config = self.model.config
        items = Histories.of(self.train_matrix[users.numpy()])
        shown, targets = items.split(config.min_history_share, config.max_history_share, self.generator)
        rows = mask_users(users + 1, config.mask_user, self.generator)
        queries = self.model.user_vectors(rows, shown) / config.temperature  # (U, D)
        drawn = torch.multinomial(self.frequency, config.negatives, replacement=True, generator=self.generator)  # (S,)
        vectors = self.model.item_vectors(torch.cat([drawn, targets.item]))  # (S + E, D)
        negative = queries @ vectors[: len(drawn)].T  # (U, S)
        positive = (queries[targets.user] * vectors[len(drawn) :]).sum(dim=1)  # (E,)
        loss = sampled_softmax_loss(positive, negative, len(drawn) * self.frequency[drawn], targets)
        self.log("train_loss", loss.detach(), on_epoch=True, on_step=False, prog_bar=True, batch_size=len(users))
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Recall@100 is what a retriever is for; HR@10 is told beside it."""
        (users,) = batch
        items = Histories.of(self.train_matrix[users.numpy()])
        scores = self.model.user_vectors(users + 1, items) @ self.model.item_vectors().T  # (U, I)
        scores[items.user, items.item] = -torch.inf
        of_target = scores.gather(1, self.target[users][:, None])  # (U, 1)
        rank = (scores > of_target).sum(dim=1)  # (U,)
        for name, depth in (("val_recall@100", 100), ("val_hr@10", 10)):
            self.log(name, (rank < depth).float().mean(), prog_bar=True, batch_size=len(users))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        config = self.model.config
        return torch.optim.Adam(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
