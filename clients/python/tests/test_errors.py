"""The catalogue of codes: the same list as the server's."""

from __future__ import annotations

import re

from rankd_client.errors import CODES, RETRYABLE, RankdError, error_of
from rankd_process import ROOT


def test_the_codes_are_those_of_the_engine() -> None:
    text = (ROOT / "native" / "base" / "status_codes.inc").read_text()
    entries = re.findall(r"^X\((\d+), (\w+), \d+, (true|false)\)", text, re.MULTILINE)
    assert {int(number): name for number, name, _ in entries} == CODES
    assert {name for _, name, retryable in entries if retryable == "true"} == RETRYABLE


def test_an_error_reads_as_its_code_and_its_sentence() -> None:
    error = RankdError("OVERLOADED", "too busy", retry_after=0.02)
    assert str(error) == "OVERLOADED: too busy"
    assert error.retryable
    assert repr(error).startswith("RankdError('OVERLOADED'")


def test_the_code_of_a_newer_server_is_kept_as_it_came() -> None:
    error = error_of({"error": "no such thing", "code": "A_NEW_ONE"}, "INTERNAL")
    assert (error.code, error.retryable) == ("A_NEW_ONE", False)


def test_a_body_without_a_code_takes_the_one_of_its_number_or_status() -> None:
    error = error_of({"error": "gone"}, "NOT_FOUND")
    assert (error.code, error.message, error.retry_after) == ("NOT_FOUND", "gone", None)
