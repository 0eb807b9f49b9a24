"""The hybrid ranker of seed 001: neural collaborative filtering (He et al. 2017) beside a content branch, fused by an MLP.

Its first fusion layer is split: W [user; item; pair] = W_u user + W_i item + W_p pair. The user's part is computed
once per user and picked for each candidate by `row_user`, so 500 candidates cost one user's work."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.models.split_layers import Mlp
from rankd_train.models.two_stage.config import RankerConfig

# The retrieval sources whose scores the ranker reads, in the order of the columns of `pair`.
PAIR_SOURCES = ("item_item", "towers")


class RankerInputs(NamedTuple):
    """What the graph takes, in its order; U users share N candidates. All float32 but `row_user` (int64)."""

    user_embedding: Tensor  # [U, E] row of the user, row 0 when unknown
    user_content: (
        Tensor  # [U, C] mean description vector of the items that say what the user is about, zeros when unknown
    )
    history_embedding: Tensor  # [U, E] mean of the history's item embeddings
    history_content: Tensor  # [U, C] mean of the history's description vectors
    history_features: Tensor  # [U, S + 1] mean of the history's item features: category mix and popularity
    history_count: Tensor  # [U, 1]
    row_user: Tensor  # [N] whose candidate it is
    item_embedding: Tensor  # [N, E]
    item_content: Tensor  # [N, C]
    item_features: Tensor  # [N, S + 1] category embedding, then popularity in [0, 1]
    pair: Tensor  # [N, P] scores of PAIR_SOURCES


class HybridRanker(nn.Module):
    """Scores candidates from gathered rows; embeddings live in tables outside."""

    def __init__(self, config: RankerConfig, content_dim: int):
        super().__init__()
        features = config.category_dim + 1
        first, *others = config.fusion_units
        self.user_dense = nn.Linear(2 * content_dim + features + 1, config.content_units)
        self.item_dense = nn.Linear(content_dim + features, config.content_units)
        self.fuse_user = nn.Linear(2 * config.embedding_dim + config.content_units, first)
        self.fuse_item = nn.Linear(config.embedding_dim + config.content_units, first, bias=False)
        self.fuse_pair = nn.Linear(pair_width(), first, bias=False)
        self.fusion = Mlp(config.fusion_units, [*[config.dropout] * len(others), 0.0])
        self.output = nn.Linear(config.fusion_units[-1], 1)

    def forward(
        self,
        user_embedding: Tensor,
        user_content: Tensor,
        history_embedding: Tensor,
        history_content: Tensor,
        history_features: Tensor,
        history_count: Tensor,
        row_user: Tensor,
        item_embedding: Tensor,
        item_content: Tensor,
        item_features: Tensor,
        pair: Tensor,
    ) -> Tensor:
        """Shapes as in RankerInputs. Returns the probability that the user has the item, [N]."""
        logits = self.logits(
            RankerInputs(
                user_embedding,
                user_content,
                history_embedding,
                history_content,
                history_features,
                history_count,
                row_user,
                item_embedding,
                item_content,
                item_features,
                pair,
            )
        )
        return torch.sigmoid(logits)

    def logits(self, x: RankerInputs) -> Tensor:
        count = torch.log1p(x.history_count) / 4  # (U, 1), about 0..1
        described = torch.cat([x.user_content, x.history_content, x.history_features, count], dim=1)
        user = torch.cat([x.user_embedding, x.history_embedding, F.relu(self.user_dense(described))], dim=1)
        item = F.relu(self.item_dense(torch.cat([x.item_content, x.item_features], dim=1)))
        item = torch.cat([x.item_embedding, item], dim=1)  # (N, E + 64)
        h = self.fuse_user(user).index_select(0, x.row_user)  # (N, 128)
        h = h + self.fuse_item(item) + self.fuse_pair(pair_features(x))
        return self.output(self.fusion(h)).squeeze(1)  # (N, 128) to (N, 32) to (N,)


def pair_width() -> int:
    return 6


def pair_features(x: RankerInputs) -> Tensor:
    """What user and item are to each other, [N, 6].

    The item-item score sums over the history, so it stands here as it is, on a log scale (its small values order
    the long tail), and per root of the history's length. Then the towers' cosine and how close the candidate's
    description is to those of the history and to what the user is about."""
    item_item, towers = x.pair[:, :1], x.pair[:, 1:2]  # (N, 1) each
    count = x.history_count.clamp(min=1).index_select(0, x.row_user)  # (N, 1)
    positive = F.relu(item_item)
    to_history = (x.history_content.index_select(0, x.row_user) * x.item_content).sum(dim=1, keepdim=True)
    to_user = (x.user_content.index_select(0, x.row_user) * x.item_content).sum(dim=1, keepdim=True)
    return torch.cat(
        [
            item_item,
            torch.log(positive + 1e-3) / 4 + 1,  # 1e-3..1 becomes about -0.7..1
            item_item / torch.sqrt(count),
            towers,
            to_history,
            to_user,
        ],
        dim=1,
    )
