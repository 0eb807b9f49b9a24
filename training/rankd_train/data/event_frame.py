"""Events as rows of ids on their way to `Interactions`: weighted by kind, then numbered."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from rankd_train.data.interactions import Events, Ids, Interactions, Items, Users


def weigh(frame: pl.DataFrame, weights: Mapping[str, float]) -> pl.DataFrame:
    """frame: value, kind. What each kind counts multiplies the value; a kind that counts 0 is left out."""
    if not weights:
        return frame
    weight = pl.col("kind").replace_strict(dict(weights), default=1.0, return_dtype=pl.Float64)
    return frame.with_columns(value=pl.col("value") * weight).filter(weight != 0)


def interactions_of(frame: pl.DataFrame, explicit: bool, users: pl.Series, items: pl.Series) -> Interactions:
    """frame: user, item, value, and time and kind where known. users, items: ids that exist beside those of the events.

    Users and items are sorted by id, so that the order of the rows plays no part."""
    user_ids, user = numbered(frame["user"], users)
    item_ids, item = numbered(frame["item"], items)
    events = Events(
        user=user,
        item=item,
        value=frame["value"].cast(pl.Float32).to_numpy(),
        time=frame["time"].to_numpy() if "time" in frame.columns else None,
        kind=frame["kind"].to_numpy() if "kind" in frame.columns else None,
    )
    return Interactions(Users(user_ids), Items(item_ids), events.where(events.order()), explicit)


def numbered(column: pl.Series, more: pl.Series) -> tuple[Ids, np.ndarray]:
    """The ids of both, sorted, and the place [N] of each of the column among them."""
    ids = pl.concat([column, more.cast(column.dtype)]).unique().sort()
    places = pl.DataFrame({"id": ids}).with_row_index("place")
    found = pl.DataFrame({"id": column}).join(places, on="id", how="left", maintain_order="left")
    return tuple(ids), found["place"].to_numpy().astype(np.int64)
