"""Feedback, asked of a real server with an event log over RPC and over HTTP, and of one whose answers the tests write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scripted_server import Peer, Received, scripted_server

from rankd_client import AsyncClient, Client, Event, Feedback, RankdError
from rankd_process import MODELS, Rankd, rankd

CLICK: Event = {"item": "item-00", "event": "click", "user": "user-1"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def logging_server(log: Path) -> Iterator[Rankd]:
    """It answers when events are on disk, so that a test may look at once."""
    with rankd(MODELS, "--event-log", str(log), "--event-log-fsync", "always") as running:
        yield running


@pytest.fixture(params=["rpc", "http"])
def client(logging_server: Rankd, request: pytest.FixtureRequest) -> Iterator[Client]:
    url = logging_server.rpc_url if request.param == "rpc" else logging_server.http_url
    with Client(url, deadline_ms=10_000) as made:
        yield made


def last_lines(folder: Path, count: int) -> list[dict[str, object]]:
    lines = [line for path in sorted(folder.glob("events-*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines[-count:]]


def test_one_event_is_accepted_and_logged_with_the_version_it_speaks_to(client: Client, log: Path) -> None:
    answer = client.feedback("tiny@champion", {**CLICK, "value": 0.1, "request_id": "r-0"})
    assert isinstance(answer, Feedback)
    assert (answer.accepted, answer.model, answer.version, answer.degraded) == (1, "tiny", "1.0.0", [])
    (line,) = last_lines(log, 1)
    assert isinstance(line.pop("time"), int)
    assert line == {"model": "tiny", "version": "1.0.0", **CLICK, "value": 0.1, "request_id": "r-0"}


def test_many_events_are_logged_in_their_order_and_numpy_ids_are_numbers(client: Client, log: Path) -> None:
    events: list[Event] = [{"item": int(item), "event": "view"} for item in np.arange(100)]
    answer = client.feedback("tiny", events)
    assert (answer.accepted, answer.degraded) == (100, ["unknown_items"])
    assert [line["item"] for line in last_lines(log, 100)] == list(range(100))


def test_what_is_no_event_is_refused_with_its_place(client: Client) -> None:
    with pytest.raises(RankdError, match=r"events\[1\]\.event must be text of a to z") as raised:
        client.feedback("tiny", [CLICK, {**CLICK, "event": "A click"}])
    assert raised.value.code == "INVALID_ARGUMENT"


def test_a_server_without_a_log_says_which_flag_it_wants(server: Rankd) -> None:
    with Client(server.rpc_url) as plain, pytest.raises(RankdError, match="--event-log") as raised:
        plain.feedback("tiny", CLICK)
    assert raised.value.code == "UNSUPPORTED_OPERATION"


def test_refused_events_are_sent_again_and_lost_ones_are_not() -> None:
    sent: list[Received] = []

    async def full_then_gone(peer: Peer, request: Received) -> None:
        sent.append(request)
        if request.body["events"][0]["event"] == "lost":
            peer.connection.transport.abort()
        elif len(sent) == 1:
            await peer.refuse(request, 37, "EVENT_LOG_FAILED", retry_after_ms=1)
        else:
            await peer.refuse(request, 3, "INVALID_ARGUMENT")

    async def run() -> None:
        async with asyncio.timeout(20), scripted_server(full_then_gone) as server, AsyncClient(server.url) as client:
            with pytest.raises(RankdError, match="INVALID_ARGUMENT"):
                await client.feedback("m", CLICK)
            assert len(sent) == 2
            with pytest.raises(RankdError, match="CONNECTION_LOST"):
                await client.feedback("m", {**CLICK, "event": "lost"})
            assert len(sent) == 3

    asyncio.run(run())
