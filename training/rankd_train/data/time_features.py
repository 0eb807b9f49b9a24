"""What times say: how long ago, how often, and at which hour, weekday and month a user is active."""

import numpy as np

from rankd_train.data.feature_columns import Column
from rankd_train.data.interactions import Events

DAY = 86_400
# Unix time began on a Thursday: 1 January 1970.
FIRST_WEEKDAY = 3


def latest(events: Events, place: np.ndarray, count: int) -> np.ndarray:
    """[count] Unix seconds of the last event of each user or item, NaN without any. place: [N] whose event each is."""
    times = np.full(count, -np.inf)
    np.maximum.at(times, place, events.time)
    return np.where(np.isinf(times), np.nan, times)


def earliest(events: Events, place: np.ndarray, count: int) -> np.ndarray:
    times = np.full(count, np.inf)
    np.minimum.at(times, place, events.time)
    return np.where(np.isinf(times), np.nan, times)


def decay(events: Events, days: int) -> dict:
    """Half after `days`, seen from the last event of training."""
    return {"kind": "decay", "now": int(events.time.max()), "half_life": days * DAY}


def angles(time: np.ndarray) -> dict[str, np.ndarray]:
    """Where each moment stands on the circle of the day, the week and the year. time: [N] Unix seconds; [N] radians, UTC."""
    months = time.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12  # 0 = January
    days = np.floor_divide(time, DAY)
    turns = {
        "hour": np.mod(time, DAY) / DAY,
        "weekday": np.mod(days + FIRST_WEEKDAY, 7) / 7,  # 0 = Monday
        "month": months / 12,
    }
    return {name: 2 * np.pi * turn for name, turn in turns.items()}


def cyclic_columns(events: Events, user_count: int) -> list[Column]:
    """The mean direction of each user's events on the three circles, as cosine and sine.

    Its length tells how faithful the user is to it: of one event 1, of events all around the clock 0."""
    counts = np.bincount(events.user, minlength=user_count)
    columns = []
    for name, angle in angles(events.time).items():
        for axis, function in (("cos", np.cos), ("sin", np.sin)):
            total = np.bincount(events.user, weights=function(angle), minlength=user_count)
            raw = np.divide(total, counts, out=np.full(user_count, np.nan), where=counts > 0)
            columns.append(Column(f"{name}_{axis}", "cycle", raw, {"kind": "signed"}, 0.5))
    return columns
