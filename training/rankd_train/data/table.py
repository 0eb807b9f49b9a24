"""A user's own table of interactions, with what it says of items and users."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from rankd_train.data.config import TableConfig
from rankd_train.data.description_tables import read_items, read_users
from rankd_train.data.event_frame import interactions_of, weigh
from rankd_train.data.interactions import Interactions
from rankd_train.data.snapshot import sha256_of
from rankd_train.data.table_columns import ids_of, numbers_of, text_of, times_of
from rankd_train.data.table_file import column_of, read_frame
from rankd_train.errors import ConfigError, DataError


@dataclass(frozen=True)
class ReadTable:
    interactions: Interactions
    report: dict[str, Any]
    sha256: dict[str, str]


def read_table(config: TableConfig, weights: Mapping[str, float], folder: Path) -> ReadTable:
    """folder: of the recipe. Raises ConfigError, DataMissing or DataError, each naming the file, the column and the row."""
    if config.user == config.item:
        raise ConfigError(f'data.table.user and data.table.item both name the column "{config.user}"')
    path = folder / config.path
    rows = read_frame(path)
    columns = {
        "user": ids_of(
            column_of(rows, config.user, "data.table.user", path), config.ids == "text", told(config.user, path)
        ),
        "item": ids_of(
            column_of(rows, config.item, "data.table.item", path), config.ids == "text", told(config.item, path)
        ),
    }
    if config.value is not None:
        columns["value"] = numbers_of(column_of(rows, config.value, "data.table.value", path), told(config.value, path))
    if config.time is not None:
        columns["time"] = times_of(column_of(rows, config.time, "data.table.time", path), told(config.time, path))
    kept, missing = without_missing(pl.DataFrame(columns), path)
    if config.kind is not None:
        kind = text_of(column_of(rows, config.kind, "data.table.kind", path), told(config.kind, path)).fill_null("")
        kept = kept.with_columns(kind=kind.gather(kept["row"]))
    if config.value is None:
        kept = kept.with_columns(value=pl.lit(1.0))
    events = weigh(kept, weights if config.kind is not None else {})
    if not len(events):
        raise DataError(f"data.weights counts every kind of event in {path} as 0, so that nothing is left")

    items = read_items(config, events["item"].dtype, folder)
    users = read_users(config, events["user"].dtype, folder)
    interactions = interactions_of(events, config.explicit, users.ids, items.ids)
    report = {"rows": len(rows), "missing": missing, "weighed_0": len(kept) - len(events)}
    return ReadTable(
        replace(
            interactions, users=users.describe(interactions.users.ids), items=items.describe(interactions.items.ids)
        ),
        report | items.report | users.report,
        {path.name: sha256_of(path), **items.sha256, **users.sha256},
    )


def told(column: str, path: Path) -> str:
    return f'column "{column}" of {path.name}'


def without_missing(columns: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows that are complete, with their number as `row`, and how many lack each column."""
    missing = {name: columns[name].null_count() for name in columns.columns}
    empty = [name for name, count in missing.items() if count == len(columns)]
    if empty:
        raise DataError(
            f"every row of {path} lacks its {empty[0]}: the column that data.table.{empty[0]} names has no values"
        )
    kept = columns.with_row_index("row").drop_nulls()
    if not len(kept):
        lacks = ", ".join(f"{name} {count:,}" for name, count in missing.items() if count)
        raise DataError(f"no row of {path} is complete; missing: {lacks} of {len(columns):,}")
    return kept, {name: count for name, count in missing.items() if count}
