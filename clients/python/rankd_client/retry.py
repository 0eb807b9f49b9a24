"""Which failures are tried again, when, and how often in all: as the TypeScript client does."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from .errors import RankdError

Clock = Callable[[], float]

#: Seconds. Requests are worth milliseconds: a wait beyond their deadlines helps nobody.
BASE, LONGEST = 0.010, 1.0

#: Seconds. What is not used fades away, so that a calm hour does not pay for a storm.
MEMORY = 10.0

#: Retries per second that are allowed whatever the traffic, so that a quiet client may retry too.
FLOOR_PER_SECOND = 3


def backoff(failures: int, base: float, longest: float, uniform: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures: "full jitter", random below a bound that doubles; 0 before the first."""
    return 0.0 if failures == 0 else uniform() * min(longest, base * 2 ** min(failures - 1, 32))


class RetryBudget:
    """A bucket that requests fill and retries empty; above or below its floor, it fades towards it."""

    def __init__(self, ratio: float, clock: Clock = time.monotonic) -> None:
        self._ratio = ratio
        self._clock = clock
        self._above_floor = 0.0
        self._read_at = clock()

    def deposit(self) -> None:
        self._fade()
        self._above_floor += self._ratio

    def withdraw(self) -> bool:
        """Whether a retry may be sent; it is counted as sent."""
        self._fade()
        if FLOOR_PER_SECOND * MEMORY + self._above_floor < 1:
            return False
        self._above_floor -= 1
        return True

    def _fade(self) -> None:
        now = self._clock()
        self._above_floor *= math.exp((self._read_at - now) / MEMORY)
        self._read_at = now


class RetryPolicy:
    """attempts: how often one request is sent at most, the first time included. budget: retries per request, in the long run."""

    def __init__(
        self,
        attempts: int,
        budget: float,
        *,
        uniform: Callable[[], float] = random.random,
        clock: Clock = time.monotonic,
    ) -> None:
        self._attempts = attempts
        self._budget = RetryBudget(budget, clock)
        self._uniform = uniform
        self.requests = 0
        self.retries = 0

    def started(self) -> None:
        """A request is sent for the first time."""
        self.requests += 1
        self._budget.deposit()

    def take_retry(self, error: RankdError, sent: int, left: float, *, is_read: bool = True) -> float | None:
        """Seconds to wait before a request that was sent `sent` times goes again; None when it may not, or would come too
        late. What missed its deadline once is not sought again. is_read: whether it may be executed twice; what does more
        than read is not sent again when nobody said what became of it."""
        if not error.retryable or error.code == "DEADLINE_EXCEEDED" or sent >= self._attempts:
            return None
        if error.code == "CONNECTION_LOST" and not is_read:
            return None
        wait = (error.retry_after or 0.0) + backoff(sent, BASE, LONGEST, self._uniform)
        if wait >= left or not self._budget.withdraw():
            return None
        self.retries += 1
        return wait
