"""All that a bundle serves from: what a family handed over, as narrow as the files hold it, and what stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rankd_train.data.interactions import Events, Ids, Items
from rankd_train.errors import ExportMismatch
from rankd_train.export.operations import POPULAR, Operations, make_operations
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.recommender import TrainingSet
from rankd_train.quantise import NARROW

# Of an item that its set puts into no category: no id may be an empty text.
NO_CATEGORY = "unknown"


@dataclass(frozen=True)
class Attribute:
    """What requests may filter by."""

    names: tuple[str, ...]
    codes: np.ndarray  # [I] uint32, place in `names`


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length: row r is values[offsets[r] : offsets[r + 1]]."""

    values: np.ndarray  # [E] uint32
    offsets: np.ndarray  # [rows + 1] uint32

    def row(self, number: int) -> np.ndarray:
        return self.values[self.offsets[number] : self.offsets[number + 1]]


@dataclass(frozen=True)
class Contents:
    users: Ids
    items: Ids
    tables: Mapping[str, Mapping[str, Column]]  # values as the engine widens them again
    history: Ragged  # column `user.history`: item rows, oldest first; row 0 is the unknown user
    indexes: Mapping[str, IndexPart]
    graphs: Mapping[str, GraphPart]
    attributes: Mapping[str, Attribute]  # codes stand in the column `item.<name>` too
    operations: Operations
    scorer: str | None  # the graph that `infer` runs
    popularity: np.ndarray  # [I] int64: users who met the item in training; 0 = it was never trained
    tolerance: float

    def column(self, name: str) -> np.ndarray:
        """name: "table.column"; returns [rows, width]."""
        table, _, column = name.partition(".")
        return self.tables[table][column].values


def make_contents(serving: Serving, training: TrainingSet, k: int) -> Contents:
    """training: what the model was fitted on; its events become the published histories and the popular list."""
    users = training.users
    items = training.items.whole() if serving.whole_catalogue else training.items
    popularity = np.pad(training.popularity, (0, len(items.ids) - len(training.items.ids)))
    lists = {POPULAR: np.argsort(-training.popularity, kind="stable"), **serving.lists}
    attributes = {} if items.categories is None else {"category": category_attribute(items)}
    codes = {name: Column("u32", attribute.codes[:, None]) for name, attribute in attributes.items()}
    tables = {
        "item": {**serving.item, **codes},
        "user": serving.user,
        **serving.tables,
        **{name: {"row": Column("u32", rows[:, None])} for name, rows in lists.items()},
    }
    check_rows(tables, len(users.ids), len(items.ids))
    return Contents(
        users=users.ids,
        items=items.ids,
        tables={name: {key: narrow(column) for key, column in table.items()} for name, table in tables.items()},
        history=history_of(training.events, len(users.ids)),
        indexes=serving.indexes,
        graphs=serving.graphs,
        attributes=attributes,
        operations=make_operations(serving, k, attributes),
        scorer=serving.scorer,
        popularity=popularity,
        tolerance=serving.tolerance,
    )


def narrow(column: Column) -> Column:
    if column.dtype == "u32":
        return replace(column, values=column.values.astype(np.uint32))
    return replace(column, values=NARROW[column.dtype](column.values))


def history_of(events: Events, user_count: int) -> Ragged:
    """Each user's items, oldest first, each once: where it was met last."""
    pair = np.stack([events.user, events.item])[:, ::-1]
    _, from_end = np.unique(pair, axis=1, return_index=True)
    kept = np.sort(len(events) - 1 - from_end)
    lengths = np.bincount(events.user[kept], minlength=user_count)
    offsets = np.concatenate([[0, 0], np.cumsum(lengths)])  # row 0, the unknown user, is empty
    return Ragged(events.item[kept].astype(np.uint32), offsets.astype(np.uint32))


def category_attribute(items: Items) -> Attribute:
    """The main category of each item."""
    mains = [categories[0] if categories and categories[0] else NO_CATEGORY for categories in items.categories]
    names, codes = np.unique(np.asarray(mains), return_inverse=True)
    return Attribute(tuple(map(str, names)), codes.astype(np.uint32))


def check_rows(tables: Mapping[str, Mapping[str, Column]], user_count: int, item_count: int) -> None:
    """A row too few would be served as zeros, in silence."""
    expected = {"item": item_count, "user": user_count + 1}
    for table, columns in tables.items():
        for name, column in columns.items():
            rows = expected.get(table)
            if rows is not None and column.values.shape[:1] != (rows,):
                raise ExportMismatch(f"column {table}.{name} has shape {column.values.shape}, expected {rows} rows")
