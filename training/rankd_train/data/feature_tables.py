"""Features of users and items for one fit: from the catalogue and the events that the fit may see, from nothing else."""

from rankd_train.data.config import FeatureConfig
from rankd_train.data.features import Features
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.data.item_features import item_table
from rankd_train.data.user_features import user_table


def make_features(users: Users, items: Items, events: Events, config: FeatureConfig, seed: int) -> Features:
    """events: those of training. The seed is of the randomised SVD of texts."""
    return Features(user_table(users, items, events, config), item_table(items, events, config, seed))
