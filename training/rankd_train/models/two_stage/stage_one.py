"""Stage one of `recommend`: what item-item weights and towers think of every item, and whom they retrieve.

Training and evaluation both go through here, so that the ranker learns on what it will be served."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.models.two_stage.config import CandidateConfig
from rankd_train.models.two_stage.towers import UserTower


@dataclass(frozen=True)
class TowerTables:
    """The towers as they are served: one graph and the tables around it."""

    user_tower: UserTower
    user_embedding: Tensor  # [1 + users, E]
    user_content: Tensor  # [1 + users, C]
    history_embedding: Tensor  # [I, D]
    item_vectors: Tensor  # [I, D], unit rows

    def user_vectors(self, user_row: Tensor, history: Histories) -> Tensor:
        """user_row: [U] int64. Returns unit rows [U, D]."""
        mean = history.mean_of(self.history_embedding)
        return self.user_tower(self.user_embedding[user_row], self.user_content[user_row], mean, history.counts())


@dataclass(frozen=True)
class StageOne:
    """The fitted sources; `popular` lists item rows, best first."""

    item_item: sp.csr_matrix  # [I, I], from Neighbours.matrix()
    towers: TowerTables
    popular: np.ndarray
    config: CandidateConfig

    @torch.no_grad()
    def scores(self, user_row: Tensor, history: sp.csr_matrix) -> Tensor:
        """[U, I, 2] float32: item-item and tower score of every item. history: [U, I] 0/1."""
        item_item = torch.from_numpy((history @ self.item_item).toarray())  # (U, I)
        vectors = self.towers.user_vectors(user_row, Histories.of(history))
        return torch.stack([item_item, vectors @ self.towers.item_vectors.T], dim=2)

    def retrieved(self, scores: Tensor) -> Tensor:
        """[U, I] bool: the union of the sources' best; the filter for seen items comes after, as in the engine."""
        found = torch.zeros(scores.shape[:2], dtype=torch.bool)
        item_item, towers = scores.unbind(dim=2)
        # The engine finds whatever has a weight to the history, a negative sum included, and nothing else.
        touched = item_item.masked_fill(item_item == 0, -torch.inf)
        best, rows = touched.topk(min(self.config.item_item, item_item.shape[1]), dim=1)
        found.scatter_(1, rows, best > -torch.inf)
        found.scatter_(1, towers.topk(min(self.config.towers, towers.shape[1]), dim=1).indices, True)
        found[:, torch.from_numpy(self.popular[: self.config.popular].astype(np.int64))] = True
        return found
