"""The bytes that C++ and TypeScript are judged by, read and written here as well: test/fixtures/wire/README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np
import pytest

from rankd_client.answers import to_feedback, to_items, to_scores
from rankd_client.codec import OPERATIONS, Request, decode_body, decode_frame, encode_body, encode_frame
from rankd_process import ROOT

Case = dict[str, Any]
CASES: list[Case] = json.loads((ROOT / "test" / "fixtures" / "wire" / "fixtures.json").read_text())["cases"]
ANSWERS = [case for case in CASES if case["kind"] == "answer" and case["codec"] == "msgpack"]
REQUESTS = [case for case in CASES if (case["kind"], case["codec"], case["framing"]) == ("request", "msgpack", "rpc")]


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@named([case for case in ANSWERS if case["framing"] == "rpc"])
def test_an_answer_frame_is_read_as_it_was_meant(case: Case) -> None:
    frame = decode_frame(bytes.fromhex(case["hex"]))
    expected = case["expect"]
    assert frame.is_last == case.get("last", True)
    if "error" in expected:
        assert frame.error is not None
        assert (frame.error.code, frame.error.message) == (expected["code"], expected["error"])
        assert frame.error.request_id == expected["request_id"]
        after_ms = expected.get("retry_after_ms")
        assert frame.error.retry_after == (None if after_ms is None else after_ms / 1000)
    else:
        assert frame.error is None
        check_answer(frame.body, expected)


@named([case for case in ANSWERS if case["framing"] == "body" and "error" not in case["expect"]])
def test_an_answer_body_is_read_as_it_was_meant(case: Case) -> None:
    check_answer(decode_body(bytes.fromhex(case["hex"])), case["expect"])


def check_answer(body: Mapping[str, Any], expected: Case) -> None:
    if "items" in expected:
        items = to_items(body)
        assert [(item.id, item.score, item.source) for item in items] == [
            (item["id"], item["score"], item.get("source")) for item in expected["items"]
        ]
        assert items.degraded == expected["degraded"]
    if "scores" in expected:
        scores = to_scores(body)
        wanted = np.array([np.nan if score is None else score for score in expected["scores"]], np.float32)
        np.testing.assert_array_equal(scores.scores, wanted)
        assert scores.decisions == expected.get("decisions")
    if "accepted" in expected:
        assert to_feedback(body).accepted == expected["accepted"]
        assert to_feedback(body).degraded == expected["degraded"]
    assert (body["model"], body["version"]) == (expected["model"], expected["version"])


@named(REQUESTS)
def test_a_request_made_here_says_what_msgpackr_said(case: Case) -> None:
    _, number, request_id, target, deadline_ms, priority, rows, fields = msgpack.unpackb(
        bytes.fromhex(case["hex"]), strict_map_key=False
    )
    operation = {number: name for name, number in OPERATIONS.items()}[number]
    request = Request(operation, target, encode_body(fields), rows or 0, priority or 0)
    made = msgpack.unpackb(encode_frame(request, request_id, deadline_ms), strict_map_key=False)
    assert made == [1, number, request_id, target, deadline_ms, priority or None, rows or None, fields]


def test_what_is_no_answer_frame_is_refused_and_says_why() -> None:
    for frame, why in [
        (b"", "incomplete"),
        (b"\x93\x01\x02\x03", "array of six"),
        (b"\x96\x02\x01\x00\x00\xc3\x80", "frame version 2"),
    ]:
        with pytest.raises(ValueError, match=why):
            decode_frame(frame)
