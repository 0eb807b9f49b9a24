"""A generated set for the tests of the exporter, a serving with every kind of part, and bundles of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from rankd_train.data.config import FeatureConfig
from rankd_train.data.feature_tables import make_features
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.errors import TrainError
from rankd_train.export.facts import ExportFacts
from rankd_train.export.native_tool import NativeTool
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.recommender import Family, Recommender, TrainingSet
from rankd_train.recipe_config import BundleConfig

USERS, ITEMS, DIM = 40, 60, 4
UNTRAINED = 2  # the last items, which nobody meets
PAD = 0xFFFFFFFF


def need_tool() -> NativeTool:
    try:
        return NativeTool.find()
    except TrainError as error:
        pytest.skip(f"the native tool is not built: {error}")


def make_training(text_ids: bool = True, explicit: bool = False) -> tuple[TrainingSet, Events]:
    """Users like items of their own parity. Returns what is learned from, and one held-out item per user."""
    rng = np.random.default_rng(11)
    rows = []
    for user in range(USERS):
        chance = np.where(np.arange(ITEMS) % 2 == user % 2, 1.0, 0.1)
        chance[-UNTRAINED:] = 0
        items = rng.choice(ITEMS, size=rng.integers(5, 12), replace=False, p=chance / chance.sum())
        rows += [(user, item, time) for time, item in enumerate(items)]
    user, item, time = np.array(rows).T
    value = rng.integers(1, 6, size=len(user)).astype(np.float32) if explicit else np.ones(len(user), dtype=np.float32)
    events = Events(user, item, value, 1_600_000_000 + 86_400 * time)
    last = np.append(user[1:] != user[:-1], True)
    users = Users(tuple(f"user {u}" for u in range(USERS)) if text_ids else tuple(range(1000, 1000 + USERS)))
    items = Items(
        ids=tuple(f"item {i}" for i in range(ITEMS)) if text_ids else tuple(range(7, 7 + 3 * ITEMS, 3)),
        categories=tuple((("even", "odd")[i % 2],) if i % 7 else () for i in range(ITEMS)) if text_ids else None,
    )
    learned = events.where(~last)
    features = make_features(users, items, learned, FeatureConfig(), seed=0)
    return TrainingSet(users, items, learned, explicit, features), events.where(last)


class TwoVectors(nn.Module):
    """A user graph: the user's vector beside the mean of the history's."""

    def forward(self, own: Tensor, history_mean: Tensor, history_count: Tensor) -> Tensor:
        """(U, D), (U, D), (U, 1). Returns (U, D)."""
        return own + history_mean * torch.log1p(history_count)


class Sum(nn.Module):
    """A candidate graph that reads every kind of input."""

    def forward(
        self, own: Tensor, newest: Tensor, row_user: Tensor, item: Tensor, short: Tensor, pair: Tensor
    ) -> Tensor:
        """(U, D), (U, D), (N,), (N, D), (N, 1), (N, 2). Returns (N,)."""
        user = (own + newest).index_select(0, row_user)  # (N, D)
        return torch.sigmoid((user * item).sum(dim=1) + short.squeeze(1) + pair.sum(dim=1))


def make_serving(reranks: bool = True, **changes: Any) -> Serving:
    rng = np.random.default_rng(5)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    neighbours = rng.permuted(np.tile(np.arange(ITEMS), (ITEMS, 1)), axis=1)[:, :6].astype(np.uint32)
    neighbours[:, -1] = PAD
    towers = {"graph": "user_vector", "output": "vector"}
    parts: dict[str, Any] = dict(
        item={
            "vector": Column("i8", normal(ITEMS, DIM)),
            "neighbour_rows": Column("u32", neighbours),
            "neighbour_weights": Column("f16", normal(ITEMS, 6)),
        },
        user={"vector": Column("f16", normal(1 + USERS, DIM))},
        tables={"short": {"bias": Column("f32", normal(ITEMS - 5, 1))}},
        indexes={
            "dots": IndexPart(normal(ITEMS, DIM)),
            "angles": IndexPart(normal(ITEMS, DIM), "exact_i8", "cosine"),
        },
        graphs={
            "user_vector": GraphPart(
                TwoVectors(),
                {
                    "own": {"from": "user", "column": "user.vector"},
                    "history_mean": {"from": "history", "column": "item.vector", "pool": "mean"},
                    "history_count": {"from": "history_count"},
                },
                "vector",
            ),
            "scorer": GraphPart(
                Sum(),
                {
                    "own": {"from": "user", "column": "user.vector"},
                    "newest": {"from": "history", "column": "item.vector", "pool": "sum", "newest": 2},
                    "row_user": {"from": "row_user"},
                    "item": {"from": "item", "column": "item.vector"},
                    "short": {"from": "item", "column": "short.bias"},
                    "pair": {"from": "sources", "names": ["near", "dots"]},
                },
                "score",
            ),
        },
        sources=(
            {
                "name": "near",
                "kind": "neighbours",
                "rows": "item.neighbour_rows",
                "weights": "item.neighbour_weights",
                "k": 20,
            },
            {"name": "dots", "kind": "index", "index": "dots", "query": towers, "k": 15},
        ),
        scorer="scorer",
        reranks=reranks,
        similar="angles",
    )
    return Serving(**{**parts, **changes})


class Constant(Recommender):
    """Scores items by their rows, the lowest best."""

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return np.tile(-np.arange(ITEMS, dtype=np.float32), (len(users), 1))

    def state(self) -> dict[str, Tensor]:
        return {}

    def serving(self) -> Serving:
        return make_serving()


@dataclass(frozen=True)
class NoConfig:
    nothing: int = 0


FAMILY = Family("constant", "By row", "Nobody 2026", NoConfig, fit=lambda *_: None, restore=lambda *_: None)


def make_facts(text_ids: bool = True, version: str = "1.0.0", name: str = "tiny", **changes: Any) -> ExportFacts:
    training, heldout = make_training(text_ids)
    given: dict[str, Any] = dict(
        bundle=BundleConfig(name, version, "A generated set"),
        family=FAMILY,
        model=Constant(),
        training=training,
        heldout=heldout,
        relevant_from=None,
        config={"seed": 0},
    )
    return ExportFacts(**{**given, **changes})
