"""From a method's arguments to the request that leaves: the same for both clients and both transports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .answers import Id
from .codec import Request, encode_body
from .errors import RankdError

Features = Mapping[str, float]
#: Ids; {"id", "features"}; rows of the bundle's item table (uint32 array); integer ids (uint64 array).
Candidates = Sequence[Id] | Sequence[Mapping[str, Any]] | NDArray[np.uint32] | NDArray[np.uint64]
#: [B, F] floats in the manifest's column order; or one map or one list per row.
Rows = NDArray[np.floating[Any]] | Sequence[Features] | Sequence[Sequence[float]]


class CallOptions(TypedDict, total=False):
    """deadline_ms: how long the answer is worth waiting for; default the client's. priority: 1 = most urgent … 9 = least.
    traceparent: the caller's place in a trace, as W3C Trace Context writes it."""

    deadline_ms: float
    priority: int
    traceparent: str


class UserSide(CallOptions, total=False):
    """user: an id. history: ids, oldest first; replaces the published one. features, context: numbers about the user and
    about the moment. exclude: ids that must not come. filters: attribute to the ids of which an item must have one."""

    user: Id
    history: Sequence[Id]
    features: Features
    context: Features
    k: int
    exclude: Sequence[Id]
    filters: Mapping[str, Id | Sequence[Id]]


class RankOptions(UserSide, total=False):
    """query: text; checked, and read by no model of this version."""

    query: str


class EventFields(TypedDict):
    item: Id
    event: str


class Event(EventFields, total=False):
    """One thing that a user did. item: an id. event: what was done, for example "click": up to 64 of a to z, 0 to 9, _, .
    and -. user: an id. value: how much of it. request_id: of the answer in which the user saw the item."""

    user: Id
    value: float
    request_id: Id


_OPTIONS = ("deadline_ms", "priority", "traceparent")


def make_request(operation: str, target: str, fields: Mapping[str, Any], rows: int = 0) -> Request:
    """fields: of the body, with the call's options among them."""
    body = {name: value for name, value in fields.items() if name not in _OPTIONS and value is not None}
    trace = fields.get("traceparent")
    if trace is not None:
        body["traceparent"] = trace
    return Request(operation, target, encode_body(body), rows, _priority(fields), trace)


def make_rank(
    target: str, candidates: Candidates, order: Literal["best", "input"], fields: Mapping[str, Any]
) -> Request:
    form: dict[str, Any] = {"candidates": candidates, "order": order}
    if isinstance(candidates, np.ndarray):
        form |= _binary_candidates(candidates)
    return make_request("rank", target, {**fields, **form}, len(candidates))


def make_score(target: str, rows: Rows, fields: Mapping[str, Any]) -> Request:
    form = _binary_rows(rows) if isinstance(rows, np.ndarray) else rows
    return make_request("score", target, {**fields, "rows": form}, len(rows))


def make_feedback(target: str, events: Event | Sequence[Event], fields: Mapping[str, Any]) -> Request:
    listed = [events] if isinstance(events, Mapping) else list(events)
    return make_request("feedback", target, {**fields, "events": listed})


def check_count(scores: Sized, rows: Rows) -> None:
    """Bytes of rows do not say how wide they are: 16 rows of 3 are 12 rows of 4 to a model with four features."""
    if len(scores) != len(rows):
        width = f" of {rows.shape[1]} features" if isinstance(rows, np.ndarray) else ""
        raise RankdError(
            "SHAPE_MISMATCH", f"{len(rows)} rows{width} came back as {len(scores)} scores: the model has other features"
        )


def as_arrays(inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(value) for name, value in inputs.items()}


def _priority(fields: Mapping[str, Any]) -> int:
    priority = fields.get("priority", 0)
    if not isinstance(priority, int) or not 0 <= priority <= 9:
        raise RankdError("INVALID_ARGUMENT", f"priority must be a whole number from 0 to 9, got {priority!r}")
    return priority


def _binary_candidates(candidates: NDArray[Any]) -> dict[str, Any]:
    forms = {"uint32": "u32_row", "uint64": "u64"}
    if candidates.ndim != 1:
        raise RankdError("INVALID_ARGUMENT", f"candidates must have one dimension, got {candidates.ndim}")
    form = forms.get(candidates.dtype.name)
    if form is None:
        return {"candidates": candidates.tolist()}
    return {"candidates": candidates.astype(candidates.dtype.newbyteorder("<"), copy=False).tobytes(), "id_type": form}


def _binary_rows(rows: NDArray[Any]) -> bytes:
    if rows.ndim != 2:
        raise RankdError("INVALID_ARGUMENT", f"rows must have two dimensions, [rows, features], got {rows.ndim}")
    if rows.dtype.kind not in "fiu":
        raise RankdError("INVALID_ARGUMENT", f"rows must be numbers, got an array of {rows.dtype}")
    return rows.astype("<f4", order="C", copy=False).tobytes()
