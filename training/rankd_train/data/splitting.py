"""Cuts interactions into train, validation and test. Within a part nothing is known of the parts after it.

An event whose user and item meet in an earlier part already is left out: an item that a user has met is no answer."""

from dataclasses import replace

import numpy as np

from rankd_train.data.config import SplitConfig
from rankd_train.data.interactions import Events, Interactions
from rankd_train.data.loaded import Loaded
from rankd_train.data.split import Split
from rankd_train.errors import ConfigError, DataError

TRAIN, VALIDATION, TEST = 0, 1, 2
# A user with fewer events than parts there are gives all of them to training.
FEWEST_EVENTS = 3
GOLDEN = (5**0.5 - 1) / 2


def make_split(loaded: Loaded, config: SplitConfig, seed: int) -> Split:
    """Items are numbered anew by falling training popularity; the same seed cuts alike."""
    check_ratios(config)
    config = replace(config, kind=split_kind(loaded, config))
    rng = np.random.default_rng(seed)
    if config.kind == "given":
        return split_as_given(loaded, config, rng)
    events = loaded.interactions.events
    if config.kind == "leave-one-out":
        part = leave_one_out(events, rng)
    elif config.kind == "random":
        part = random_parts(events, config, rng)
    else:
        part = temporal_parts(events, config)
    return numbered(loaded.interactions, part)


def split_kind(loaded: Loaded, config: SplitConfig) -> str:
    """What `auto` stands for with these data."""
    if config.kind != "auto":
        return config.kind
    if loaded.given is not None:
        return "given"
    return "random" if loaded.interactions.events.time is None else "temporal"


def folds(loaded: Loaded, k: int, seed: int) -> list[Split]:
    """Each event is tested once, by what was learned from the other k - 1 folds; there is no validation part."""
    count = len(loaded.interactions.events)
    if not 2 <= k <= count:
        raise ConfigError(f"the number of folds must be between 2 and the number of events ({count}), got {k}")
    fold = np.random.default_rng(seed).permutation(count) % k
    return [numbered(loaded.interactions, np.where(fold == tested, TEST, TRAIN)) for tested in range(k)]


def numbered(interactions: Interactions, part: np.ndarray) -> Split:
    """The split of events with part [N]: items by falling number of users in training, equal ones in their old order."""
    events, item_count = interactions.events, len(interactions.items.ids)
    pairs, pair = np.unique(events.user * item_count + events.item, return_inverse=True)
    earliest = np.full(len(pairs), TEST)
    np.minimum.at(earliest, pair, part)
    popularity = np.bincount(pairs[earliest == TRAIN] % item_count, minlength=item_count)
    order = np.argsort(-popularity, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(item_count)
    events = replace(events, item=place[events.item])
    train, validation, test = (events.where((part == p) & (earliest[pair] == p)) for p in (TRAIN, VALIDATION, TEST))
    return Split(interactions.users, interactions.items.take(order), train, validation, test, interactions.explicit)


def check_ratios(config: SplitConfig) -> None:
    if min(config.ratios) < 0 or config.ratios[0] == 0 or abs(sum(config.ratios) - 1) > 1e-6:
        raise ConfigError(
            f"split.ratios must be shares of train, validation and test that add up to 1, got {config.ratios}"
        )


def leave_one_out(events: Events, rng: np.random.Generator) -> np.ndarray:
    """[N] part: of each user the last event is tested and the one before validates; drawn at random where no times are known."""
    part = np.full(len(events), TRAIN)
    for start, end in users_with_enough(events):
        order = np.arange(end, start, -1) - 1 if events.time is not None else start + rng.permutation(end - start)
        part[order[0]], part[order[1]] = TEST, VALIDATION
    return part


def random_parts(events: Events, config: SplitConfig, rng: np.random.Generator) -> np.ndarray:
    """[N] part."""
    if not config.by_user:
        return cut(rng.permutation(len(events)), len(events), config)
    # Ranks at random within each user: sorted by user first, then by a random key.
    shuffled = np.lexsort((rng.random(len(events)), events.user))
    rank = np.empty(len(events), dtype=np.int64)
    rank[shuffled] = rank_within_user(events.user)
    return cut_by_user(events, rank, config)


def temporal_parts(events: Events, config: SplitConfig) -> np.ndarray:
    """[N] part: the first events, by user or of all, are learned from, the last ones tested."""
    if events.time is None:
        raise ConfigError(
            'split.kind is "temporal", but the data have no times: name their column in data.table.time, '
            'or set split.kind to "random" or "leave-one-out"'
        )
    if config.by_user:
        return cut_by_user(events, rank_within_user(events.user), config)
    times = np.sort(events.time)
    if times[0] == times[-1]:
        raise DataError('all events have the same time, so there is no moment to cut at; set split.kind to "random"')
    train_end, validation_end = boundaries(np.array(len(events)), config)
    # What happens at one moment stays together: the later part begins with it.
    moments = [times[end] if end < len(times) else times[-1] + 1 for end in (train_end, validation_end)]
    if moments[0] == times[0]:
        raise DataError(
            f"{int((times == times[0]).sum()):,} of {len(times):,} events have the earliest time, so nothing would be left "
            'for training; set split.by_user: true, or split.kind to "random"'
        )
    return np.searchsorted(np.array(moments), events.time, side="right")


def cut_by_user(events: Events, rank: np.ndarray, config: SplitConfig) -> np.ndarray:
    """rank: [N] place of each event among its user's. Returns [N] part."""
    counts = np.bincount(events.user)[events.user]  # (N,)
    # A tenth of eight events is no event if all users round alike: here each rounds at another point, evenly spread
    # (multiples of the golden ratio), so that the shares hold over all users.
    rounding = (events.user * GOLDEN) % 1
    return np.where(counts < FEWEST_EVENTS, TRAIN, cut(rank, counts, config, rounding))


def cut(
    rank: np.ndarray, count: np.ndarray | int, config: SplitConfig, rounding: np.ndarray | float = 0.5
) -> np.ndarray:
    """rank: [N] places of 0..count-1. Returns [N] part."""
    train_end, validation_end = boundaries(np.asarray(count), config, rounding)
    return np.where(rank < train_end, TRAIN, np.where(rank < validation_end, VALIDATION, TEST))


def boundaries(
    count: np.ndarray, config: SplitConfig, rounding: np.ndarray | float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Where validation and test begin among `count` events; training has one at least. rounding: 0.5 is to the nearest."""
    train_end = np.maximum(1, np.floor(count * config.ratios[0] + rounding)).astype(np.int64)
    return train_end, np.maximum(train_end, np.floor(count * (1 - config.ratios[2]) + rounding)).astype(np.int64)


def rank_within_user(user: np.ndarray) -> np.ndarray:
    """user: [N], sorted. Returns [N]: 0 for a user's first event, 1 for the next, …"""
    counts = np.bincount(user)
    starts = np.cumsum(counts) - counts
    return np.arange(len(user)) - starts[user]


def users_with_enough(events: Events) -> list[tuple[int, int]]:
    """First and last + 1 event of every user who has FEWEST_EVENTS or more."""
    counts = np.bincount(events.user)
    ends = np.cumsum(counts)
    return [(end - count, end) for end, count in zip(ends.tolist(), counts.tolist()) if count >= FEWEST_EVENTS]


def split_as_given(loaded: Loaded, config: SplitConfig, rng: np.random.Generator) -> Split:
    """Validation is a share of each user's training events, or, where a test item stands among drawn ones, one such event."""
    if loaded.given is None:
        raise ConfigError('split.kind is "given", but this data set has no published split; use "temporal" or "random"')
    events, negatives = loaded.interactions.events, loaded.given.negatives
    part = np.where(loaded.given.test, TEST, TRAIN)
    learned = np.flatnonzero(part == TRAIN)
    user = events.user[learned]
    shuffled = np.lexsort((rng.random(len(learned)), user))
    counts = np.bincount(user)[user]
    share = config.ratios[1]
    taken = np.where(counts > 1, 1, 0) if negatives is not None else np.floor(counts * share + 0.5)
    part[learned[shuffled[rank_within_user(user) < np.minimum(taken, counts - 1)]]] = VALIDATION
    split = numbered(loaded.interactions, part)
    if negatives is None:
        return split
    place = {id: row for row, id in enumerate(split.items.ids)}
    renumber = np.array([place[id] for id in loaded.interactions.items.ids])
    drawn = draw_validation_negatives(split, negatives.shape[1], rng)
    return replace(split, negatives=np.where(negatives < 0, -1, renumber[negatives]), validation_negatives=drawn)


def draw_validation_negatives(split: Split, count: int, rng: np.random.Generator) -> np.ndarray:
    """[U, count] items that a user meets neither in training nor in validation, each once if there are so many.

    -1 for a user who has no validation item. The test part is not looked at: a test item is among them as likely as any."""
    negatives = np.full((split.shape[0], count), -1, dtype=np.int64)
    met = split.matrix(split.train) + split.matrix(split.validation)
    for user in np.unique(split.validation.user):
        unmet = np.ones(split.shape[1], dtype=bool)
        unmet[met.indices[met.indptr[user] : met.indptr[user + 1]]] = False
        choices = np.flatnonzero(unmet)
        if len(choices):
            drawn = rng.choice(choices, size=min(count, len(choices)), replace=False)
            negatives[user] = np.resize(drawn, count)  # repeated where there are too few
    return negatives
