"""Vectors whose dot products come near a network's logits, so that an index finds what the network would rank first.

An MLP over pairs cannot be searched. But its logits of many users by all items are a matrix, and by Eckart & Young (1936)
its truncated SVD gives the item vectors that lose least. A user's vector then solves least squares over some of the
items alone, so that no user need be scored against a large catalogue."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

from rankd_train.export.serving import GraphPart

DIM = 32  # more keep no more of the first ten on ml-1m (docs/models/ncf.md)
SAMPLE = 1024  # users whose logits of all items are decomposed, or fewer, so that these stay below
LOGITS = 2**27  # of 4 bytes
ANCHORS = 1024  # items by whose logits a user's vector is found
CHUNK = 512  # users scored at once


@dataclass(frozen=True)
class StandIn:
    user: np.ndarray  # [1 + U, D] float32 of unit spread, row 0 the unknown user
    spread: np.ndarray  # [D] float32
    item: np.ndarray  # [I, D] float32

    def query(self) -> GraphPart:
        return GraphPart(Query(self.spread), {"user_stand_in": {"from": "user", "column": "user.stand_in"}}, "vector")


class Query(nn.Module):
    """The user's vector for the index, of a column of unit spread."""

    def __init__(self, spread: np.ndarray):
        super().__init__()
        self.register_buffer("spread", torch.from_numpy(spread))

    def forward(self, user_stand_in: Tensor) -> Tensor:
        """user_stand_in: (U, D). Returns (U, D)."""
        return user_stand_in * self.spread


def fit_stand_in(logits: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: int, items: int) -> StandIn:
    """logits: of user rows [B] by items [M], [B, M] float32; rows: of the user table, the unknown user's included."""
    rng = np.random.default_rng(0)
    sample_size = min(rows, SAMPLE, max(4 * DIM, LOGITS // items))
    sample = np.sort(rng.choice(rows, sample_size, replace=False))
    anchors = np.sort(rng.choice(items, min(ANCHORS, items), replace=False))
    every = np.arange(items)
    known = np.concatenate([logits(part, every) for part in in_chunks(sample)])  # (S, I)
    _, _, components = randomized_svd(known, min(DIM, *known.shape), random_state=0)
    item = components.T  # (I, D)
    solve = np.linalg.pinv(item[anchors]).T  # (A, D)
    user = np.concatenate([logits(part, anchors) @ solve for part in in_chunks(np.arange(rows))])  # (1 + U, D)
    spread = np.maximum(user.std(axis=0), np.finfo(np.float32).tiny)
    return StandIn(
        (user / spread).astype(np.float32), spread.astype(np.float32), np.ascontiguousarray(item, np.float32)
    )


def in_chunks(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, range(CHUNK, len(rows), CHUNK))
