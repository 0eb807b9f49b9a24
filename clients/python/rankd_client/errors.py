"""What every call of this client raises: a code of the server's catalogue and a sentence that says what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Numbers of the wire, as in docs/errors.md; they never change their meaning.
CODES = {
    0: "OK",
    1: "INVALID_FRAME",
    2: "INVALID_BODY",
    3: "INVALID_ARGUMENT",
    4: "UNSUPPORTED_EXTENSION",
    5: "LIMIT_EXCEEDED",
    6: "TOO_LARGE",
    7: "SHAPE_MISMATCH",
    8: "NOT_FINITE",
    9: "UNKNOWN_OPERATION",
    10: "UNKNOWN_MODEL",
    11: "UNKNOWN_VERSION",
    12: "UNSUPPORTED_OPERATION",
    13: "UNKNOWN_ITEM",
    14: "NOT_FOUND",
    15: "METHOD_NOT_ALLOWED",
    16: "OVERLOADED",
    17: "DEADLINE_EXCEEDED",
    18: "CANCELLED",
    19: "DRAINING",
    20: "MODEL_NOT_READY",
    21: "BUNDLE_MISSING_FILE",
    22: "BUNDLE_CHECKSUM_MISMATCH",
    23: "BUNDLE_INVALID",
    24: "BUNDLE_SIGNATURE_MISMATCH",
    25: "BUNDLE_GOLDEN_MISMATCH",
    26: "MODEL_FAILED",
    27: "ENGINE_CLOSED",
    28: "INVALID_HANDLE",
    29: "INVALID_CONFIG",
    30: "PORT_IN_USE",
    31: "CONNECTION_LOST",
    32: "INTERNAL",
    33: "INVALID_SHAPE",
    34: "UNSUPPORTED_FEATURE",
    35: "RESTRICTED",
    36: "NOT_ALLOWED",
    37: "EVENT_LOG_FAILED",
}

#: The same request may succeed when it is sent again.
RETRYABLE = frozenset(
    {"OVERLOADED", "DEADLINE_EXCEEDED", "DRAINING", "MODEL_NOT_READY", "CONNECTION_LOST", "EVENT_LOG_FAILED"}
)


class RankdError(Exception):
    """A call failed.

    code: a name of docs/errors.md, for programs. message: for people, may change.
    retry_after: seconds after which another try makes sense, when the server knows.
    request_id: what the server calls the request, when it said so.
    """

    def __init__(
        self, code: str, message: str, retry_after: float | None = None, request_id: str | int | None = None
    ) -> None:
        super().__init__(code, message, retry_after, request_id)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def retryable(self) -> bool:
        return self.code in RETRYABLE

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def error_of(body: Mapping[str, Any], code: str) -> RankdError:
    """An error body of the server's. code: what it means when the body names none, as a newer server's number does."""
    named = body.get("code")
    after_ms = body.get("retry_after_ms")
    return RankdError(
        named if isinstance(named, str) else code,
        str(body.get("error", "the server gave no reason")),
        retry_after=after_ms / 1000 if isinstance(after_ms, (int, float)) else None,
        request_id=body.get("request_id"),
    )
