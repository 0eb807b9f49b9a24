"""The generated world of classic_world, with features and validation, for the networks over pairs."""

import dataclasses
from pathlib import Path

import numpy as np
from classic_world import make_data

from rankd_train.data.features import Codes, Feature, Features, FeatureTable
from rankd_train.models.recommender import FitOptions, TrainingSet
from rankd_train.training.optimiser import OptimiserConfig

OPTIMISER = OptimiserConfig(learning_rate=0.02, batch_size=500, max_epochs=8, weight_decay=0.0)


def pair_data(validation: bool = True, negatives: int = 0) -> TrainingSet:
    """One of each user's events is held out; `negatives`: ranked among so many drawn items."""
    data = dataclasses.replace(make_data(users=80, items=30), features=described(80, 30))
    if not validation:
        return data
    events = data.events
    rng = np.random.default_rng(0)
    order = rng.permutation(len(events))
    _, first = np.unique(events.user[order], return_index=True)
    held = np.zeros(len(events), dtype=bool)
    held[order[first]] = True
    drawn = None
    if negatives:
        met = data.matrix.toarray() > 0
        drawn = np.stack([rng.choice(np.flatnonzero(~row), negatives) for row in met])
    return dataclasses.replace(
        data, events=events.where(~held), validation=events.where(held), validation_negatives=drawn
    )


def described(users: int, items: int) -> Features:
    rng = np.random.default_rng(1)

    def table(rows: int, names: tuple[str, ...], codes: dict[str, np.ndarray]) -> FeatureTable:
        columns = tuple(Feature(name, "number", 0.25, {}) for name in names)
        values = rng.random((rows, len(names))).astype(np.float32)
        return FeatureTable(columns, values, {name: Codes(("a", "b"), codes[name]) for name in codes})

    return Features(
        table(users, ("age", "recency"), {"home.place": 1 + np.arange(users) % 2}),
        table(items, ("price",), {"category": 1 + np.arange(items) % 2, "brand": rng.integers(0, 3, items)}),
    )


def options(folder: Path, **settings) -> FitOptions:
    return FitOptions(seed=0, threads=1, folder=folder, **settings)
