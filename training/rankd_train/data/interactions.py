"""Who met what: the one form in which every loader hands over its data, and every split its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

# As a set has them: texts, or whole numbers, which rankd then takes as numbers too.
Ids = tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True)
class Users:
    ids: Ids
    # By attribute, such as "gender": [U] text, "" where unknown. What fairness compares and features encode.
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    # Ids of items that say what each user is about without having been met: what a source builds, what a shop sells.
    about: tuple[Ids, ...] | None = None

    def take(self, places: np.ndarray) -> "Users":
        """places: [n] of the users that are wanted, in the order that is wanted."""
        ids = take_of(self.ids, places)
        attributes = {name: values[places] for name, values in self.attributes.items()}
        return Users(ids, attributes, take_of(self.about, places))


@dataclass(frozen=True)
class Items:
    """The catalogue. What a set does not tell is None; arrays have one entry per item."""

    ids: Ids
    text: tuple[str, ...] | None = None  # title and description, for TF-IDF
    categories: tuple[tuple[str, ...], ...] | None = None  # of each item the main one first
    tags: tuple[tuple[str, ...], ...] | None = None
    price: np.ndarray | None = None  # [I] float32, NaN where unknown
    created: np.ndarray | None = None  # [I] int64 Unix seconds, -1 where unknown
    # All that the set describes, whether anybody met it or not; it may name items again. See `whole`.
    described: "Items | None" = None

    def take(self, places: np.ndarray) -> "Items":
        """places: [n] of the items that are wanted, in the order that is wanted. `described` stays whole."""
        text, categories, tags = (take_of(part, places) for part in (self.text, self.categories, self.tags))
        price, created = (None if part is None else part[places] for part in (self.price, self.created))
        return Items(take_of(self.ids, places), text, categories, tags, price, created, self.described)

    def whole(self) -> "Items":
        """These items, then those that are described and not among them: no model is fitted on the latter, but an item
        can be similar by its description. What only one of both tells is left out."""
        if self.described is None:
            return self
        known = set(self.ids)
        more = self.described.take(np.flatnonzero([id not in known for id in self.described.ids]))
        text, categories, tags = (
            None if a is None or b is None else (*a, *b)
            for a, b in ((self.text, more.text), (self.categories, more.categories), (self.tags, more.tags))
        )
        price, created = (
            None if a is None or b is None else np.concatenate([a, b])
            for a, b in ((self.price, more.price), (self.created, more.created))
        )
        return Items((*self.ids, *more.ids), text, categories, tags, price, created)


@dataclass(frozen=True)
class Events:
    """What happened, one entry each, sorted by user and, where times are known, by time within a user."""

    user: np.ndarray  # [N] int64, place in `Users.ids`
    item: np.ndarray  # [N] int64, place in `Items.ids`
    value: np.ndarray  # [N] float32: the rating, or the weight of an implicit event (1 where the set has none)
    time: np.ndarray | None = None  # [N] int64 Unix seconds
    kind: np.ndarray | None = None  # [N] text, such as "view" or "purchase"

    def __len__(self) -> int:
        return len(self.user)

    def order(self) -> np.ndarray:
        """[N] places: by user, then by time where times are known; what is equal keeps its order."""
        return np.argsort(self.user, kind="stable") if self.time is None else np.lexsort((self.time, self.user))

    def where(self, keep: np.ndarray) -> "Events":
        """keep: [N] bool, or places."""
        time, kind = (None if part is None else part[keep] for part in (self.time, self.kind))
        return Events(self.user[keep], self.item[keep], self.value[keep], time, kind)

    @classmethod
    def joined(cls, one: "Events", other: "Events") -> "Events":
        """All of both; what only one of them tells is left out."""
        time, kind = (
            None if a is None or b is None else np.concatenate([a, b])
            for a, b in ((one.time, other.time), (one.kind, other.kind))
        )
        pairs = ((one.user, other.user), (one.item, other.item), (one.value, other.value))
        user, item, value = (np.concatenate(pair) for pair in pairs)
        events = cls(user, item, value, time, kind)
        return events.where(events.order())

    def matrix(self, shape: tuple[int, int], binary: bool = False) -> sp.csr_matrix:
        """[U, I] float32 with sorted indices; the values of a repeated pair are added, or all values are 1 if `binary`."""
        matrix = sp.csr_matrix((self.value, (self.user, self.item)), shape=shape, dtype=np.float32)
        matrix.sum_duplicates()
        if binary:
            matrix.data[:] = 1
        return matrix


@dataclass(frozen=True)
class Interactions:
    users: Users
    items: Items
    events: Events
    # Values are opinions (ratings): a low one is no recommendation. Otherwise an event's mere presence speaks.
    explicit: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users.ids), len(self.items.ids)


def take_of(values: tuple | None, places: np.ndarray) -> tuple | None:
    return None if values is None else tuple(values[place] for place in places)
