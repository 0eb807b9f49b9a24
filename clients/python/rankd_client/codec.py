"""Frames and bodies of docs/wire-format.md: msgpack both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgpack
import numpy as np

from .errors import CODES, RankdError, error_of

FRAME_VERSION = 1
OPERATIONS = {"recommend": 1, "rank": 2, "similar": 3, "score": 4, "infer": 5, "feedback": 8}

#: msgpack's first byte of an array of eight.
_ARRAY_OF_8 = b"\x98"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as every attempt sends it. body: msgpack of a map. rows: candidates or rows, a hint; 0 = not said."""

    operation: str
    target: str
    body: bytes
    rows: int = 0
    priority: int = 0
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """id: None when the server could not say whose request failed."""

    id: int | None
    error: RankdError | None
    is_last: bool
    body: Mapping[str, Any]


def encode_body(fields: Mapping[str, Any]) -> bytes:
    """Raises INVALID_ARGUMENT for what msgpack cannot hold."""
    try:
        return cast(bytes, msgpack.packb(fields, default=_plain))
    except (TypeError, ValueError, OverflowError) as cause:
        raise RankdError("INVALID_ARGUMENT", f"the request cannot be encoded: {cause}") from cause


def encode_frame(request: Request, request_id: int, deadline_ms: int | None) -> bytes:
    """deadline_ms: what is left of it; None = none."""
    number = OPERATIONS[request.operation]
    hints = [request.priority or None, request.rows or None]
    envelope = cast(bytes, msgpack.packb([FRAME_VERSION, number, request_id, request.target, deadline_ms, *hints]))
    return _ARRAY_OF_8 + envelope[1:] + request.body  # the body behind the seven is the eighth


def decode_body(data: bytes) -> Any:  # noqa: ANN401
    """Raises ValueError for what is not one msgpack value."""
    return msgpack.unpackb(data, strict_map_key=False)


def decode_frame(frame: bytes) -> AnswerFrame:
    """Raises ValueError for what is no answer frame."""
    elements = decode_body(frame)
    if not isinstance(elements, list) or len(elements) < 6 or not isinstance(elements[5], dict):
        raise ValueError("not an array of six with a map at its end")
    version, request_id, number, _seq, is_last, body = elements[:6]
    if version != FRAME_VERSION:
        raise ValueError(f"frame version {version}, this client speaks {FRAME_VERSION}")
    error = None if number == 0 else error_of(body, CODES.get(number, "INTERNAL"))
    return AnswerFrame(request_id, error, bool(is_last), body)


def _plain(value: object) -> object:
    """numpy's scalars and arrays, where a plain number or list is meant."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a request")
