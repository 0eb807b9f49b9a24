"""Adds the events of one source to those of another; users and items are known again by their ids."""

from dataclasses import replace

import numpy as np

from rankd_train.data.interactions import Events, Ids, Interactions, Items, Users
from rankd_train.data.loaded import Given
from rankd_train.errors import ConfigError, DataError


def add_events(
    base: Interactions, given: Given | None, more: Interactions
) -> tuple[Interactions, Given | None, list[str]]:
    """What is new in `more` comes after what is known. Returns warnings, too.

    Raises ConfigError where ratings would be added to events, DataError where one has numbers as ids and the other text."""
    if base.explicit:
        raise ConfigError(
            "data.feedback cannot be added to ratings: an opinion from 1 to 5 and a click are not one scale"
        )
    if given is not None and given.negatives is not None:
        raise ConfigError(
            "data.feedback cannot be added to a set whose protocol names the items of each user (negatives)"
        )
    warnings = []
    user_ids, user_place = extended(base.users.ids, more.users.ids, "users")
    item_ids, item_place = extended(base.items.ids, more.items.ids, "items")
    if base.events.time is None and more.events.time is not None:
        warnings.append("the base has no times, so those of the feedback are not used")
    added = replace(more.events, user=user_place[more.events.user], item=item_place[more.events.item])
    events = joined(base.events, added)
    order = events.order()
    if given is not None:
        given = Given(np.concatenate([given.test, np.zeros(len(added), dtype=bool)])[order])
    users = extended_users(base.users, user_ids)
    return Interactions(users, extended_items(base.items, item_ids), events.where(order)), given, warnings


def extended(known: Ids, more: Ids, what: str) -> tuple[Ids, np.ndarray]:
    """All ids, and the place of each of `more` among them."""
    if known and more and type(known[0]) is not type(more[0]):
        raise DataError(
            f"the data name their {what} by {'numbers' if isinstance(known[0], int) else 'text'} (such as {known[0]!r}), the "
            f"feedback by {'numbers' if isinstance(more[0], int) else 'text'} ({more[0]!r}), so that none would be found again"
        )
    place = {id: row for row, id in enumerate(known)}
    new = [id for id in more if id not in place]
    place.update({id: row for row, id in enumerate(new, start=len(known))})
    return (*known, *new), np.array([place[id] for id in more], dtype=np.int64)


def joined(first: Events, second: Events) -> Events:
    """A column that either lacks is left out, but kinds are "" where unknown."""
    time = None
    if first.time is not None and second.time is not None:
        time = np.concatenate([first.time, second.time])
    kinds = [np.full(len(part), "", dtype=object) if part.kind is None else part.kind for part in (first, second)]
    return Events(
        user=np.concatenate([first.user, second.user]),
        item=np.concatenate([first.item, second.item]),
        value=np.concatenate([first.value, second.value]),
        time=time,
        kind=np.concatenate(kinds),
    )


def extended_users(users: Users, ids: Ids) -> Users:
    new = np.full(len(ids) - len(users.ids), "", dtype=object)
    about = None if users.about is None else (*users.about, *((),) * len(new))
    return Users(ids, {name: np.concatenate([values, new]) for name, values in users.attributes.items()}, about)


def extended_items(items: Items, ids: Ids) -> Items:
    """Of new items nothing is known but that they were met."""
    new = len(ids) - len(items.ids)
    return Items(
        ids=ids,
        text=None if items.text is None else (*items.text, *("",) * new),
        categories=None if items.categories is None else (*items.categories, *((),) * new),
        tags=None if items.tags is None else (*items.tags, *((),) * new),
        price=None if items.price is None else np.append(items.price, np.full(new, np.nan, dtype=np.float32)),
        created=None if items.created is None else np.append(items.created, np.full(new, -1)),
        described=items.described,
    )
