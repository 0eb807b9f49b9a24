"""The ranker with its tables: embeddings that are learned, features that are given."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from rankd_train.data.histories import Histories
from rankd_train.models.two_stage.config import RankerConfig
from rankd_train.models.two_stage.network import HybridRanker, RankerInputs


@dataclass(frozen=True)
class RankerTables:
    """The rows that the graph takes, as the engine gathers them; user row 0 is the unknown user."""

    user_embedding: Tensor  # [1 + users, E]
    user_content: Tensor  # [1 + users, C]
    item_embedding: Tensor  # [I, E]
    item_content: Tensor  # [I, C]
    item_features: Tensor  # [I, S + 1]

    def gather(
        self, user_row: Tensor, history: Histories, row_user: Tensor, item: Tensor, pair: Tensor
    ) -> RankerInputs:
        """user_row: [U]; row_user, item: [N] int64; pair: [N, P]."""
        return RankerInputs(
            user_embedding=self.user_embedding[user_row],
            user_content=self.user_content[user_row],
            history_embedding=history.mean_of(self.item_embedding),
            history_content=history.mean_of(self.item_content),
            history_features=history.mean_of(self.item_features),
            history_count=history.counts(),
            row_user=row_user,
            item_embedding=self.item_embedding[item],
            item_content=self.item_content[item],
            item_features=self.item_features[item],
            pair=pair,
        )


class Ranker(nn.Module):
    """What is trained: HybridRanker plus embeddings of users, items and categories."""

    def __init__(
        self, config: RankerConfig, user_content: Tensor, item_content: Tensor, category: Tensor, popularity: Tensor
    ):
        """user_content: [1 + users, C]; item_content: [I, C]; category: [I] int64; popularity: [I, 1] in [0, 1]."""
        super().__init__()
        self.register_buffer("user_content", user_content, persistent=False)
        self.register_buffer("item_content", item_content, persistent=False)
        self.register_buffer("category", category, persistent=False)
        self.register_buffer("popularity", popularity, persistent=False)
        self.user_embedding = nn.Embedding(len(user_content), config.embedding_dim)
        self.item_embedding = nn.Embedding(len(item_content), config.embedding_dim)
        self.category_embedding = nn.Embedding(int(category.max()) + 1, config.category_dim)
        self.network = HybridRanker(config, item_content.shape[1])
        for embedding in (self.user_embedding, self.item_embedding, self.category_embedding):
            nn.init.normal_(embedding.weight, std=0.05)

    def tables(self) -> RankerTables:
        """The tables at this moment; gradients flow through them."""
        features = torch.cat([self.category_embedding(self.category), self.popularity], dim=1)
        return RankerTables(
            self.user_embedding.weight, self.user_content, self.item_embedding.weight, self.item_content, features
        )

    def forward(
        self,
        user_row: Tensor,
        history: Histories,
        row_user: Tensor,
        item: Tensor,
        pair: Tensor,
        embedding_row: Tensor | None = None,
    ) -> Tensor:
        """Logits [N]. embedding_row: [U], where it differs from `user_row`: a user whose embedding is hidden has 0 there."""
        tables = self.tables()
        inputs = tables.gather(user_row, history, row_user, item, pair)
        if embedding_row is not None:
            inputs = inputs._replace(user_embedding=tables.user_embedding[embedding_row])
        return self.network.logits(inputs)


def normalised_popularity(counts: np.ndarray) -> np.ndarray:
    """log(1 + count) over its maximum: [I, 1] float32 in [0, 1]."""
    logs = np.log1p(counts.astype(np.float32))
    return (logs / max(float(logs.max()), 1.0))[:, None]
