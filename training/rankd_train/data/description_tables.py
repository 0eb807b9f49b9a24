"""What a user's own files say of items and of users, a row each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rankd_train.data.config import ItemTableConfig, TableConfig
from rankd_train.data.interactions import Ids, Items, Users
from rankd_train.data.snapshot import sha256_of
from rankd_train.data.table_columns import ids_of, numbers_of, text_of, times_of
from rankd_train.data.table_file import column_of, read_frame
from rankd_train.errors import DataError

KEY = " id"  # of a row; the blank keeps it apart from the file's own columns


@dataclass(frozen=True)
class Described:
    """The ids of one file, and a function that describes all ids of a set in their order."""

    ids: pl.Series
    describe: Callable[[Ids], Any]  # -> Items or Users
    report: dict[str, Any] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)


def read_items(config: TableConfig, id_type: pl.DataType, folder: Path) -> Described:
    """id_type: of the events' items. Without a file for items, they have ids and nothing else."""
    if config.items is None:
        return Described(pl.Series([], dtype=id_type), Items)
    table, path = config.items, folder / config.items.path
    rows, report = read_described(path, table.id, id_type, "items")
    columns = {KEY: rows[KEY]}
    if table.text:
        parts = [
            text_of(column_of(rows, name, "data.table.items.text", path), name).fill_null("") for name in table.text
        ]
        columns["text"] = pl.select(pl.concat_str(parts, separator=" ").str.strip_chars()).to_series()
    for name, kind, convert in (
        ("categories", table.categories, labels_of(table)),
        ("tags", table.tags, labels_of(table)),
        ("price", table.price, numbers_of),
        ("created", table.created, times_of),
    ):
        if kind is not None:
            column = column_of(rows, kind, f"data.table.items.{name}", path)
            columns[name] = convert(column, f'column "{kind}" of {path.name}')
    described = pl.DataFrame(columns)
    return Described(rows[KEY], lambda ids: items_of(ids, described), report, {path.name: sha256_of(path)})


def labels_of(table: ItemTableConfig) -> Callable[[pl.Series, str], pl.Series]:
    """Lists of labels, from lists or from text with a separator."""

    def convert(column: pl.Series, where: str) -> pl.Series:
        if isinstance(column.dtype, pl.List):
            return column.cast(pl.List(pl.String))
        parts = text_of(column, where).str.split(table.separator)
        return parts.list.eval(pl.element().str.strip_chars()).list.eval(pl.element().filter(pl.element() != ""))

    return convert


def items_of(ids: Ids, described: pl.DataFrame) -> Items:
    """In the order of `ids`; what the file does not say is empty, NaN or -1."""
    rows = aligned(ids, described)
    given = {name: rows[name] for name in described.columns}
    return Items(
        ids=ids,
        text=tuple(given["text"].fill_null("")) if "text" in given else None,
        categories=tuples_of(given.get("categories")),
        tags=tuples_of(given.get("tags")),
        price=given["price"].fill_null(np.nan).cast(pl.Float32).to_numpy() if "price" in given else None,
        created=given["created"].fill_null(-1).to_numpy() if "created" in given else None,
    )


def tuples_of(labels: pl.Series | None) -> tuple[tuple[str, ...], ...] | None:
    return None if labels is None else tuple(tuple(row) if row is not None else () for row in labels.to_list())


def read_users(config: TableConfig, id_type: pl.DataType, folder: Path) -> Described:
    """id_type: of the events' users."""
    if config.users is None:
        return Described(pl.Series([], dtype=id_type), Users)
    table, path = config.users, folder / config.users.path
    rows, report = read_described(path, table.id, id_type, "users")
    names = [column_of(rows, name, "data.table.users.attributes", path).name for name in table.attributes]
    attributes = pl.DataFrame({KEY: rows[KEY], **{name: text_of(rows[name], name).fill_null("") for name in names}})

    def describe(ids: Ids) -> Users:
        found = aligned(ids, attributes)
        return Users(ids, {name: found[name].fill_null("").to_numpy() for name in names})

    return Described(rows[KEY], describe, report, {path.name: sha256_of(path)})


def read_described(path: Path, id_column: str, id_type: pl.DataType, what: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The rows of a file with their ids as KEY, each id once, and what had to be left out."""
    rows = read_frame(path)
    where = f'column "{id_column}" of {path.name}'
    ids = ids_of(column_of(rows, id_column, f"data.table.{what}.id", path), id_type == pl.String, where)
    if ids.dtype != id_type:
        raise DataError(f"{where} is text, while the events name their {what} by numbers, so that none would be found")
    known = rows.with_columns(ids.alias(KEY)).filter(pl.col(KEY).is_not_null())
    once = known.unique(KEY, keep="first", maintain_order=True)
    report = {f"{what}_without_id": len(rows) - len(known), f"{what}_described_twice": len(known) - len(once)}
    return once, report


def aligned(ids: Ids, described: pl.DataFrame) -> pl.DataFrame:
    """One row for each id, in their order."""
    wanted = pl.DataFrame({KEY: pl.Series(list(ids), dtype=described[KEY].dtype)})
    return wanted.join(described, on=KEY, how="left", maintain_order="left")
