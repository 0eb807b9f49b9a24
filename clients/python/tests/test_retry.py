"""What is tried again, when, and how often in all: on a clock and with dice of the tests' own."""

from __future__ import annotations

import asyncio
import math

import pytest

from rankd_client.calls import Deadline, with_retries
from rankd_client.errors import RankdError
from rankd_client.retry import RetryBudget, RetryPolicy, backoff


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def policy(attempts: int = 3, budget: float = 0.2) -> RetryPolicy:
    """Waits the longest that the dice allow."""
    return RetryPolicy(attempts, budget, uniform=lambda: 1.0, clock=FakeClock())


def overloaded(retry_after: float | None = None) -> RankdError:
    return RankdError("OVERLOADED", "too busy", retry_after=retry_after)


def test_the_wait_doubles_up_to_its_bound_and_is_random_below_it() -> None:
    assert [backoff(n, 0.01, 1.0, lambda: 1.0) for n in (0, 1, 2, 3, 100)] == [0, 0.01, 0.02, 0.04, 1.0]
    assert backoff(3, 0.01, 1.0, lambda: 0.25) == 0.01


def test_what_the_server_advises_is_waited_on_top() -> None:
    assert policy().take_retry(overloaded(retry_after=0.5), 1, math.inf) == pytest.approx(0.51)


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    assert policy().take_retry(overloaded(retry_after=0.5), 1, 0.3) is None


def test_the_callers_mistakes_and_passed_deadlines_are_not_tried_again() -> None:
    for code in ("INVALID_ARGUMENT", "UNKNOWN_MODEL", "MODEL_FAILED", "DEADLINE_EXCEEDED"):
        assert policy().take_retry(RankdError(code, ""), 1, math.inf) is None


def test_attempts_count_the_first_time() -> None:
    assert policy(attempts=2).take_retry(overloaded(), 1, math.inf) is not None
    assert policy(attempts=2).take_retry(overloaded(), 2, math.inf) is None


def test_a_quiet_client_may_retry_thirty_times_and_earns_a_share_of_its_requests() -> None:
    budget = RetryBudget(0.25, FakeClock())
    for _ in range(40):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == 40


def test_what_was_spent_comes_back_and_what_was_saved_fades() -> None:
    clock = FakeClock()
    budget = RetryBudget(0.2, clock)
    while budget.withdraw():
        pass
    clock.now += 1000
    assert sum(budget.withdraw() for _ in range(100)) == 30
    for _ in range(1000):
        budget.deposit()
    clock.now += 1000
    assert sum(budget.withdraw() for _ in range(100)) == 30


def test_a_call_is_sent_until_it_succeeds() -> None:
    failures = [overloaded(), RankdError("CONNECTION_LOST", "gone")]
    made = policy()

    async def attempt() -> str:
        if failures:
            raise failures.pop()
        return "answer"

    assert asyncio.run(with_retries(made, Deadline(None), attempt)) == "answer"
    assert (made.requests, made.retries) == (1, 2)


def test_the_last_error_is_raised_as_it_came() -> None:
    async def attempt() -> str:
        raise overloaded()

    with pytest.raises(RankdError, match="too busy"):
        asyncio.run(with_retries(policy(), Deadline(None), attempt))


def test_a_deadline_bounds_the_whole_call() -> None:
    async def attempt() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RankdError, match="no answer within the deadline of 20 ms") as raised:
        asyncio.run(with_retries(policy(), Deadline(20), attempt))
    assert raised.value.code == "DEADLINE_EXCEEDED"


def test_a_deadline_must_be_a_number_from_0() -> None:
    for wrong in (-1, math.inf, math.nan):
        with pytest.raises(RankdError, match="deadline_ms must be a number from 0"):
            Deadline(wrong)
    assert Deadline(0).left_ms is None
    assert Deadline(0.2).left_ms == 1
