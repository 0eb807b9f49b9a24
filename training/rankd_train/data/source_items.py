"""Source packages and their build dependencies as implicit feedback."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from rankd_train.config import DataConfig
from rankd_train.data.debian import SourcePackage


@dataclass(frozen=True)
class SourceItems:
    """Who builds with what, after the rare ends are cut off; users and items sorted by name."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    rows: tuple[np.ndarray, ...]  # per user: sorted places in `items`, int64

    @property
    def pair_count(self) -> int:
        return sum(len(row) for row in self.rows)


def build_source_items(sources: tuple[SourcePackage, ...], config: DataConfig) -> SourceItems:
    """One pass, items first: drop the helpers, items with too few sources, then sources with too few items.

    The items are those that passed the first cut, although 17 of them lose all their sources in the second:
    so the catalogue has the 5,435 items of the set's published description. Those 17 live on their content."""
    dropped = set(config.dropped_items)
    counts = Counter(item for source in sources for item in source.build_depends if item not in dropped)
    items = tuple(sorted(item for item, count in counts.items() if count >= config.min_sources_per_item))
    place = {item: index for index, item in enumerate(items)}
    users, rows = [], []
    for source in sources:
        row = sorted(place[item] for item in source.build_depends if item in place)
        if len(row) >= config.min_items_per_source:
            users.append(source.name)
            rows.append(np.asarray(row, dtype=np.int64))
    return SourceItems(tuple(users), items, tuple(rows))
