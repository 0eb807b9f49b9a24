"""One call of the caller's: sent, sent again when that is allowed, until an answer has come or its deadline has passed."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .errors import RankdError
from .retry import RetryPolicy

T = TypeVar("T")


class Deadline:
    """When an answer is worth nothing any more. ms: None or 0 = never."""

    def __init__(self, ms: float | None) -> None:
        if ms is not None and not (0 <= ms < math.inf):
            raise RankdError("INVALID_ARGUMENT", f"deadline_ms must be a number from 0, got {ms}")
        self.ms = ms or None
        self._ends_at = math.inf if self.ms is None else time.monotonic() + self.ms / 1000

    @property
    def left(self) -> float:
        """Seconds; infinity without a deadline, never negative."""
        return max(0.0, self._ends_at - time.monotonic())

    @property
    def left_ms(self) -> int | None:
        """As the wire has it, rounded up; None without a deadline."""
        return None if self.ms is None else max(1, math.ceil(self.left * 1000))


async def with_retries(
    policy: RetryPolicy, deadline: Deadline, attempt: Callable[[], Awaitable[T]], *, is_read: bool = True
) -> T:
    """Raises the last attempt's error, or DEADLINE_EXCEEDED. is_read: whether it may be executed twice."""
    policy.started()
    limit = None if deadline.ms is None else deadline.left
    scope = asyncio.timeout(limit)
    try:
        async with scope:
            return await _attempts(policy, deadline, attempt, is_read)
    except TimeoutError as cause:
        if not scope.expired():
            raise
        raise RankdError("DEADLINE_EXCEEDED", f"no answer within the deadline of {deadline.ms:g} ms") from cause


async def _attempts(policy: RetryPolicy, deadline: Deadline, attempt: Callable[[], Awaitable[T]], is_read: bool) -> T:
    sent = 0
    while True:
        sent += 1
        try:
            return await attempt()
        except RankdError as error:
            wait = policy.take_retry(error, sent, deadline.left, is_read=is_read)
            if wait is None:
                raise
        await asyncio.sleep(wait)
