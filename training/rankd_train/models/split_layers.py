"""Layers over [user; item] that are split by side, so that a user's part is computed once for all its candidates.

W [user; item] + b = (W_u user + b) + W_i item: `of_user` and `of_item` give the two halves, `join` takes their sum on.
With 500 candidates a request costs one user's half; the item's half depends on the catalogue alone, and the engine
computes it when it loads the model."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.errors import ConfigError


class SplitScorer(nn.Module, ABC):
    """Scores pairs from gathered rows; tables live outside. Each scorer spells out its `forward`, the served graph."""

    @abstractmethod
    def of_user(self, *columns: Tensor) -> Tensor:
        """columns: (U, W) each. Returns the user's half (U, H)."""

    @abstractmethod
    def of_item(self, *columns: Tensor) -> Tensor:
        """columns: (N, W) each. Returns the item's half (N, H)."""

    @abstractmethod
    def join(self, user: Tensor, item: Tensor) -> Tensor:
        """Halves (..., H) that broadcast. Returns logits (...)."""

    def score(self, user: Tensor, item: Tensor) -> Tensor:
        """What `forward` serves of two halves: the probability that the user takes the item."""
        return torch.sigmoid(self.join(user, item))


class Mlp(nn.Module):
    """ReLU layers with dropout, from the sum that enters the first activation to the last hidden layer."""

    def __init__(self, widths: Sequence[int], dropout: Sequence[float]):
        """widths: of the hidden layers, [H, ..., L]; dropout: after each of them."""
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.dropout = dropout

    def forward(self, h: Tensor) -> Tensor:
        """h: (..., H), before activation. Returns (..., L)."""
        h = self.activate(h, 0)
        for number, layer in enumerate(self.layers, start=1):
            h = self.activate(layer(h), number)
        return h

    def activate(self, h: Tensor, layer: int) -> Tensor:
        return F.dropout(F.relu(h), self.dropout[layer], self.training)


def check_layers(hidden_layers: Sequence[int], dropout: Sequence[float]) -> None:
    if not hidden_layers or min(hidden_layers) < 1:
        raise ConfigError(f'"model.hidden_layers" must be widths above 0, got {list(hidden_layers)}')
    if len(dropout) != len(hidden_layers) or not all(0 <= rate < 1 for rate in dropout):
        raise ConfigError(
            f'"model.dropout" must be one rate in [0, 1) per hidden layer ({len(hidden_layers)}), got {list(dropout)}'
        )
