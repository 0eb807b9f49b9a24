"""A small world that every test shares: two kinds of projects, whose tools seldom mix."""

import numpy as np
import pytest
import torch

from rankd_train.config import (
    BundleConfig,
    ContentConfig,
    EvaluationConfig,
    ItemItemConfig,
    PipelineConfig,
    RankerConfig,
    RunConfig,
    TowerConfig,
)
from rankd_train.data.catalogue import Catalogue
from rankd_train.data.leave_two_out import split_leave_two_out
from rankd_train.data.source_items import SourceItems
from rankd_train.dataset import Dataset, own_content
from rankd_train.models.content import unit_rows

USERS, ITEMS, OTHERS, CONTENT = 90, 40, 12, 8


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def config() -> RunConfig:
    return RunConfig(
        bundle=BundleConfig("tiny", "1.0.0", "A generated world"),
        threads=1,
        content=ContentConfig(dim=CONTENT),
        item_item=ItemItemConfig(l2=5.0, neighbours=10),
        tower=TowerConfig(dim=8, user_dim=4, hidden=16, negatives=32, batch_users=32, max_epochs=2),
        ranker=RankerConfig(
            embedding_dim=6,
            content_units=8,
            fusion_units=(16, 8, 4),
            section_dim=3,
            folds=3,
            target_folds=2,
            max_epochs=2,
        ),
        pipeline=PipelineConfig(item_item=12, towers=12, popular=4, tower_index="exact_f32"),
        evaluation=EvaluationConfig(validation_sources=30, full_ranking_sources=20),
    )


@pytest.fixture(scope="session")
def interactions() -> SourceItems:
    """Every user takes 4 to 9 items, nearly all from its own half of the items."""
    rng = np.random.default_rng(7)
    rows = []
    for user in range(USERS):
        half = np.where(np.arange(ITEMS) % 2 == user % 2, 1.0, 0.05)
        rows.append(np.sort(rng.choice(ITEMS, size=rng.integers(4, 10), replace=False, p=half / half.sum())))
    users = tuple(f"source-{user:02}" for user in range(USERS))
    return SourceItems(users, tuple(f"item-{item:02}" for item in range(ITEMS)), tuple(rows))


@pytest.fixture(scope="session")
def data(interactions) -> Dataset:
    split = split_leave_two_out(interactions, seed=0)
    rng = np.random.default_rng(1)
    count = ITEMS + OTHERS
    content = unit_rows(rng.normal(size=(count, CONTENT)).astype(np.float32))
    catalogue = Catalogue(
        names=(*split.items, *(f"other-{item:02}" for item in range(OTHERS))),
        texts=("",) * count,
        section_names=("even", "odd"),
        section=(np.arange(count) % 2).astype(np.uint32),
        trained_count=ITEMS,
        built_by={user: (ITEMS + number % OTHERS,) for number, user in enumerate(split.users[:60])},
    )
    return Dataset(split, catalogue, content, own_content(split, catalogue, content), {"made": "here"})
