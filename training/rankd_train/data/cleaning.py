"""Takes away what nothing can be learned from, step by step in the order of CleaningConfig, and counts what each step took."""

from dataclasses import dataclass, replace

import numpy as np

from rankd_train.data.config import CleaningConfig
from rankd_train.data.interactions import Events, Interactions
from rankd_train.data.loaded import Given
from rankd_train.errors import ConfigError, DataError


@dataclass(frozen=True)
class Step:
    name: str
    events: int  # that it took
    events_left: int


@dataclass(frozen=True)
class Cleaned:
    interactions: Interactions
    given: Given | None
    steps: tuple[Step, ...]


@dataclass
class Cleaner:
    """The events that are left, with their place in the original ones."""

    events: Events
    places: np.ndarray  # [N] int64
    steps: list[Step]

    def keep(self, name: str, keep: np.ndarray) -> None:
        """keep: [N] bool."""
        self.steps.append(Step(name, int((~keep).sum()), int(keep.sum())))
        self.events, self.places = self.events.where(keep), self.places[keep]


def clean(interactions: Interactions, given: Given | None, config: CleaningConfig) -> Cleaned:
    """Raises DataError when nothing is left, ConfigError when a published protocol would lose items that it names."""
    user_count, item_count = interactions.shape
    cleaner = Cleaner(interactions.events, np.arange(len(interactions.events)), [])
    dropped = np.isin(np.array([str(id) for id in interactions.items.ids]), config.dropped_items)  # (I,)
    cleaner.keep("dropped_items", ~dropped[cleaner.events.item])
    if config.value_range is not None:
        low, high = config.value_range
        if low > high:
            raise ConfigError(f"data.cleaning.value_range must be [lowest, highest], got [{low}, {high}]")
        cleaner.keep("value_range", (cleaner.events.value >= low) & (cleaner.events.value <= high))
    if config.duplicates != "keep":
        merge_duplicates(cleaner, item_count, config.duplicates)
    if config.outlier_events:
        counts = np.bincount(cleaner.events.user, minlength=user_count)
        cleaner.keep("outlier_events", counts[cleaner.events.user] <= config.outlier_events)
    item_counts = np.bincount(cleaner.events.item, minlength=item_count)
    cleaner.keep("min_events_per_item", item_counts[cleaner.events.item] >= config.min_events_per_item)
    user_counts = np.bincount(cleaner.events.user, minlength=user_count)
    cleaner.keep("min_events_per_user", user_counts[cleaner.events.user] >= config.min_events_per_user)
    if not len(cleaner.events):
        took = ", ".join(f"{step.name} {step.events:,}" for step in cleaner.steps if step.events)
        raise DataError(f"cleaning leaves none of {len(interactions.events):,} events; taken by: {took or 'nothing'}")
    kept_users = np.flatnonzero(user_counts >= config.min_events_per_user)
    kept_items = np.flatnonzero((item_counts >= config.min_events_per_item) & ~dropped)
    return compact(interactions, given, cleaner, kept_users, kept_items)


def merge_duplicates(cleaner: Cleaner, item_count: int, how: str) -> None:
    """Of the events of one user with one item the last stays: by time, else as they were read. "sum" adds the values to it."""
    key = cleaner.events.user * item_count + cleaner.events.item
    order = np.argsort(key, kind="stable")  # within a pair still by time
    ends = np.flatnonzero(np.diff(key[order], append=-1))
    if how == "sum":
        starts = np.concatenate([[0], ends[:-1] + 1])
        value = cleaner.events.value.copy()
        value[order[ends]] = np.add.reduceat(cleaner.events.value[order], starts)
        cleaner.events = replace(cleaner.events, value=value)
    keep = np.zeros(len(key), dtype=bool)
    keep[order[ends]] = True
    cleaner.keep("duplicates", keep)


def compact(
    interactions: Interactions, given: Given | None, cleaner: Cleaner, users: np.ndarray, items: np.ndarray
) -> Cleaned:
    """Numbers users and items anew, without those that are gone. users, items: places of those that stay, ascending."""
    user_place, item_place = (places_of(kept, count) for kept, count in zip((users, items), interactions.shape))
    events = replace(cleaner.events, user=user_place[cleaner.events.user], item=item_place[cleaner.events.item])
    if given is not None:
        negatives = given.negatives
        if negatives is not None:
            negatives = np.where(negatives < 0, -1, item_place[negatives])[users]
            if (negatives < 0).sum() > (given.negatives[users] < 0).sum():
                raise ConfigError(
                    "data.cleaning takes items away that the published negatives of this set name, so that its protocol "
                    "could not be followed; leave data.cleaning out for a published split"
                )
        given = Given(given.test[cleaner.places], negatives)
    kept = Interactions(interactions.users.take(users), interactions.items.take(items), events, interactions.explicit)
    return Cleaned(kept, given, tuple(cleaner.steps))


def places_of(kept: np.ndarray, count: int) -> np.ndarray:
    """[count] int64: the new place of each old one, -1 for what is gone."""
    places = np.full(count, -1, dtype=np.int64)
    places[kept] = np.arange(len(kept))
    return places
