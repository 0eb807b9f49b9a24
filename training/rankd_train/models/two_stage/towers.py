"""The two-tower retriever: a user vector from a history, an item vector from id and description.

The towers meet in a dot product of unit vectors (Yi et al. 2019), so that a nearest-neighbour index can serve it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.data.histories import Histories
from rankd_train.models.two_stage.config import TowerConfig


class UserTower(nn.Module):
    """The graph that serves: it takes gathered rows, so that no embedding table lives inside it."""

    def __init__(self, config: TowerConfig, content_dim: int):
        super().__init__()
        self.mix = nn.Linear(config.user_dim + content_dim + config.dim + 1, config.hidden)
        self.project = nn.Linear(config.hidden, config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, user_embedding: Tensor, user_content: Tensor, history_mean: Tensor, history_count: Tensor
    ) -> Tensor:
        """user_embedding: [U, E]; user_content: [U, C]; history_mean: [U, D]; history_count: [U, 1]. Returns unit rows [U, D].

        A bare history comes with row 0 of the user table, the embedding trained for whoever is unknown."""
        count = torch.log1p(history_count) / 4  # about 0..1: histories of 50 items are rare
        x = torch.cat([user_embedding, user_content, history_mean, count], dim=1)  # (U, E + C + D + 1)
        x = self.project(self.dropout(F.relu(self.mix(x))))  # (U, D)
        # The residual path starts the tower as plain averaging of the history, which is a fair model by itself.
        return F.normalize(x + history_mean, dim=1)


class TwoTower(nn.Module):
    """Both towers with their embeddings. Row 0 of the users is the unknown user, user `u` is row u + 1."""

    def __init__(self, config: TowerConfig, user_content: Tensor, item_content: Tensor):
        """user_content: [1 + users, C] with zeros in row 0; item_content: [I, C]; both are fixed features."""
        super().__init__()
        self.config = config
        self.register_buffer("user_content", user_content, persistent=False)
        self.register_buffer("item_content", item_content, persistent=False)
        self.user_embedding = nn.Embedding(len(user_content), config.user_dim)
        self.history_embedding = nn.Embedding(len(item_content), config.dim)
        self.item_embedding = nn.Embedding(len(item_content), config.dim)
        self.describe = nn.Linear(item_content.shape[1], config.dim, bias=False)
        self.user_tower = UserTower(config, user_content.shape[1])
        nn.init.normal_(self.user_embedding.weight, std=0.01)
        nn.init.normal_(self.history_embedding.weight, std=0.1)
        nn.init.normal_(self.item_embedding.weight, std=0.1)

    def item_vectors(self, rows: Tensor | None = None) -> Tensor:
        """[I, D] unit rows, or [len(rows), D]. An item that few users met leans on its description."""
        embedding, content = self.item_embedding.weight, self.item_content
        if rows is not None:
            embedding, content = self.item_embedding(rows), content[rows]
        return F.normalize(embedding + self.describe(content), dim=1)

    def user_vectors(self, user_row: Tensor, history: Histories) -> Tensor:
        """user_row: [U] int64; history: of those users. Returns [U, D]."""
        mean = history.mean_of(self.history_embedding.weight)
        return self.user_tower(self.user_embedding(user_row), self.user_content[user_row], mean, history.counts())
