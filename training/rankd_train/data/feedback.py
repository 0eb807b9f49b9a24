"""The feedback that rankd logged, read back as training events: `events-*.jsonl`, one JSON object a line.

    {"time": 1795564800000, "model": "packages", "version": "1.0.0", "user": "hello", "item": "cmake", "event": "click"}

`time` in Unix milliseconds; `user` and `item` text or a whole number; `value` 1 unless given. A line without `user` says
nothing about anybody: it is counted and left out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from rankd_train.data.event_frame import interactions_of, weigh
from rankd_train.data.interactions import Interactions
from rankd_train.data.snapshot import sha256_of
from rankd_train.errors import DataError, DataMissing

REQUIRED = {"time": int, "item": (str, int), "event": str}


@dataclass(frozen=True)
class ReadFeedback:
    interactions: Interactions
    report: dict[str, Any]
    sha256: dict[str, str]


def read_feedback(folder: Path, weights: Mapping[str, float]) -> ReadFeedback:
    """weights: what an event of each kind counts; 1 unless said, and 0 leaves it out."""
    segments = sorted(folder.glob("events-*.jsonl"))
    if not segments:
        raise DataMissing(f"{folder} has no events-*.jsonl; data.feedback names the folder of rankd's event log")
    report = {"segments": len(segments), "lines": 0, "torn": 0, "without_user": 0}
    rows = [row for path in segments for row in rows_of(path, report)]
    if not rows:
        raise DataError(f"no line of the {len(segments)} segments in {folder} names a user and an item")
    users, items = (one_type([row[place] for row in rows], name, folder) for place, name in ((0, "user"), (1, "item")))
    frame = pl.DataFrame(
        {
            "user": users,
            "item": items,
            "value": pl.Series([row[2] for row in rows], dtype=pl.Float64),
            "time": pl.Series([row[3] // 1000 for row in rows], dtype=pl.Int64),
            "kind": [row[4] for row in rows],
        }
    )
    kept = weigh(frame, weights)
    report["weighed_0"] = len(frame) - len(kept)
    if not len(kept):
        raise DataError(f"data.weights counts every kind of event in {folder} as 0, so that nothing is left")
    interactions = interactions_of(kept, False, kept["user"].clear(), kept["item"].clear())
    return ReadFeedback(interactions, report, {path.name: sha256_of(path) for path in segments})


def rows_of(path: Path, report: dict[str, int]) -> Iterator[tuple]:
    """(user, item, value, time in ms, event) of every line that names a user; counts the lines in `report`."""
    content = path.read_bytes()
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        report["lines"] += 1
        try:
            event = json.loads(line)
        except ValueError as error:
            if number == len(lines):  # no line end: the server stopped while it wrote
                report["torn"] += 1
                return
            raise DataError(
                f"{path.name}, line {number}, is not JSON: {line[:80].decode(errors='replace')!r}"
            ) from error
        if not isinstance(event, dict):
            raise DataError(f"{path.name}, line {number}, is no JSON object: {line[:80].decode(errors='replace')!r}")
        for key, kind in REQUIRED.items():
            if not is_a(event.get(key), kind):
                raise DataError(f'{path.name}, line {number}: "{key}" is {event.get(key)!r}, expected {named(kind)}')
        user, value = event.get("user"), event.get("value", 1.0)
        if user is None:
            report["without_user"] += 1
            continue
        if not is_a(user, (str, int)) or not is_a(value, (int, float)):
            raise DataError(f"{path.name}, line {number}: user {user!r}, value {value!r}; expected an id and a number")
        yield user, event["item"], value, event["time"], event["event"]


def is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def named(kind: type | tuple[type, ...]) -> str:
    names = {int: "a whole number", str: "text"}
    return " or ".join(names[one] for one in (kind if isinstance(kind, tuple) else (kind,)))


def one_type(ids: list[str | int], name: str, folder: Path) -> pl.Series:
    kinds = {type(id) for id in ids}
    if len(kinds) > 1:
        number, text = (next(id for id in ids if isinstance(id, kind)) for kind in (int, str))
        raise DataError(
            f"the events in {folder} name some {name}s by numbers ({number}) and others by text ({text!r}); rankd takes "
            "those for different ones. Log all of them in one form"
        )
    return pl.Series(ids, dtype=pl.Int64 if kinds == {int} else pl.String)
