"""A generated world with taste in it, for the tests of the factorisation and item-item models."""

from pathlib import Path

import numpy as np

from rankd_train.data.features import Features, FeatureTable
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.models.recommender import FitOptions, TrainingSet

DAY = 86_400


def make_data(users: int = 60, items: int = 40, explicit: bool = False, seed: int = 3) -> TrainingSet:
    """Even users like even items. Implicit: mostly those are met; explicit: they get high ratings, in steps of a half.

    The last item is never met, and the last user meets nothing."""
    rng = np.random.default_rng(seed)
    likes = np.arange(items) % 2 == np.arange(users)[:, None] % 2  # (U, I)
    met = rng.random((users, items)) < np.where(likes, 0.4, 0.4 if explicit else 0.08)
    met[:, -1] = met[-1] = False
    user, item = np.nonzero(met)
    opinion = 2 + 2 * likes[user, item] + (item % 5) / 4 + rng.normal(scale=0.3, size=len(user))
    value = np.clip(np.rint(2 * opinion) / 2, 1, 5) if explicit else np.ones(len(user))
    time = np.sort(rng.integers(0, 300 * DAY, size=len(user)))
    kind = np.where(rng.random(len(user)) < 0.7, "view", "purchase")
    categories = tuple(("even",) if i % 2 == 0 else ("odd", "third") if i % 3 == 0 else ("odd",) for i in range(items))
    width = 3
    features = Features(
        FeatureTable((), rng.random((users, width)).astype(np.float32), {}),
        FeatureTable((), rng.random((items, width)).astype(np.float32), {}),
    )
    return TrainingSet(
        users=Users(tuple(range(users))),
        items=Items(tuple(range(items)), categories=categories),
        events=Events(user.astype(np.int64), item.astype(np.int64), value.astype(np.float32), time, kind),
        explicit=explicit,
        features=features,
    )


def options(seed: int = 0) -> FitOptions:
    return FitOptions(seed=seed, threads=1, folder=Path("unused"))


def restored(family, config, data, model):
    return family.restore(config, data, {name: value.clone() for name, value in model.state().items()})
