"""A small world for the tests of `two-stage`: two kinds of projects, whose tools seldom mix, and packages that nobody met."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from rankd_train.data.config import FeatureConfig, SplitConfig
from rankd_train.data.feature_tables import make_features
from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.loaded import Loaded
from rankd_train.data.split import Split
from rankd_train.data.splitting import make_split
from rankd_train.models.content import ContentConfig
from rankd_train.models.recommender import FitOptions, TrainingSet
from rankd_train.models.two_stage.config import (
    CandidateConfig,
    ItemItemConfig,
    RankerConfig,
    TowerConfig,
    TwoStageConfig,
)

USERS, ITEMS, OTHERS = 90, 40, 12

CONFIG = TwoStageConfig(
    content=ContentConfig(dim=6, min_texts_per_term=1, max_share=1.0),
    item_item=ItemItemConfig(l2=5.0, neighbours=10),
    tower=TowerConfig(dim=8, user_dim=4, hidden=16, negatives=32, batch_users=32, max_epochs=3),
    ranker=RankerConfig(
        embedding_dim=6,
        content_units=8,
        fusion_units=(16, 8, 4),
        category_dim=3,
        folds=4,
        target_folds=3,
        batch_users=16,
        max_epochs=8,
        validation_users=30,
    ),
    # As many as an answer of ten takes at least, so that asking for fewer or more brings the same candidates.
    candidates=CandidateConfig(item_item=12, towers=12, popular=12, tower_index="exact_f32"),
)


def describe_item(number: int) -> str:
    half = ("even", "odd")[number % 2]
    return f"{half} {half}ly shape{number % 5} colour{number % 7} size{number % 3}"


def make_interactions() -> Interactions:
    """Every user takes 4 to 9 items, nearly all from its own half of the items."""
    rng = np.random.default_rng(7)
    pairs = []
    for user in range(USERS):
        half = np.where(np.arange(ITEMS) % 2 == user % 2, 1.0, 0.05)
        items = rng.choice(ITEMS, size=rng.integers(4, 10), replace=False, p=half / half.sum())
        pairs += [(user, item) for item in np.sort(items)]
    user, item = np.array(pairs, dtype=np.int64).T
    others = [f"other-{number:02}" for number in range(OTHERS)]
    described = Items(
        ids=(*others, "item-03"),
        text=(*(describe_item(number) for number in range(OTHERS)), describe_item(3)),
        categories=tuple((("even", "odd")[number % 2],) for number in (*range(OTHERS), 3)),
    )
    items = Items(
        ids=tuple(f"item-{number:02}" for number in range(ITEMS)),
        text=tuple(map(describe_item, range(ITEMS))),
        categories=tuple((("even", "odd")[number % 2],) for number in range(ITEMS)),
        described=described,
    )
    users = Users(
        ids=tuple(f"source-{number:02}" for number in range(USERS)),
        about=tuple((others[number % OTHERS], "no such item") if number < 60 else () for number in range(USERS)),
    )
    return Interactions(users, items, Events(user, item, np.ones(len(user), dtype=np.float32)))


def make_world(refit: bool = False) -> tuple[Split, TrainingSet]:
    """refit: learn from the validation items too, and have nothing to choose by."""
    split = make_split(Loaded(make_interactions(), None, {}, {}), SplitConfig(kind="leave-one-out"), seed=0)
    events = Events.joined(split.train, split.validation) if refit else split.train
    features = make_features(split.users, split.items, events, FeatureConfig(text_dim=0), seed=0)
    watched = None if refit else split.validation
    return split, TrainingSet(split.users, split.items, events, False, features, watched)


def options(folder: Path, choices: dict[str, Any] | None = None) -> FitOptions:
    return FitOptions(seed=0, threads=1, folder=folder, choices=choices or {})


def with_part(name: str, **changes: Any) -> TwoStageConfig:
    return dataclasses.replace(CONFIG, **{name: dataclasses.replace(getattr(CONFIG, name), **changes)})
