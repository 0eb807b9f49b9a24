"""RPC against a server whose answers the tests write: pipelining, retries, lost connections, drains, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from scripted_server import Peer, Received, Script, ScriptedServer, scripted_server

from rankd_client import AsyncClient, RankdError

Test = Callable[[AsyncClient, ScriptedServer], Awaitable[None]]


def play(script: Script, test: Test, deadline_ms: float | None = None) -> None:
    """Runs a test of a client before a scripted server; a test that hangs fails."""

    async def run() -> None:
        async with (
            asyncio.timeout(20),
            scripted_server(script) as server,
            AsyncClient(server.url, deadline_ms=deadline_ms) as client,
        ):
            await test(client, server)

    asyncio.run(run())


def test_many_calls_share_one_socket_and_each_gets_its_own_answer() -> None:
    waiting: list[tuple[Peer, Received]] = []

    async def in_reverse(peer: Peer, request: Received) -> None:
        waiting.append((peer, request))
        if len(waiting) == 50:
            for each, late in reversed(waiting):
                await each.answer(late, [{"id": late.body["user"], "score": 1.0}])

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        answers = await asyncio.gather(*(client.recommend("m", user=user) for user in range(50)))
        assert [answer.ids for answer in answers] == [[user] for user in range(50)]
        assert server.connections == 1

    play(in_reverse, test)


def test_a_frame_carries_what_the_call_said() -> None:
    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await client.recommend("m@canary", user="ada", k=5, deadline_ms=5000, priority=2, traceparent=trace)
        (request,) = server.requests
        assert (request.operation, request.target, request.priority) == (1, "m@canary", 2)
        assert request.deadline_ms is not None and 0 < request.deadline_ms <= 5000
        assert request.body == {"user": "ada", "k": 5, "traceparent": trace}

    play(lambda peer, request: peer.answer(request), test)


def test_what_is_refused_for_load_is_sent_again_with_the_time_that_is_left() -> None:
    refusals = iter([True, True, False])

    async def busy_twice(peer: Peer, request: Received) -> None:
        if next(refusals):
            await peer.refuse(request, 16, "OVERLOADED", retry_after_ms=1)
        else:
            await peer.answer(request)

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        assert len(await client.recommend("m", user=1)) == 0
        deadlines = [request.deadline_ms or 0 for request in server.requests]
        assert len(deadlines) == 3 and deadlines == sorted(deadlines, reverse=True)
        assert client.stats() == {"requests": 1, "retries": 2}

    play(busy_twice, test, deadline_ms=10_000)


def test_the_callers_mistake_is_told_once() -> None:
    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        with pytest.raises(RankdError, match="UNKNOWN_MODEL: refused") as raised:
            await client.recommend("nobody", user=1)
        assert raised.value.request_id == server.requests[0].id
        assert len(server.requests) == 1

    play(lambda peer, request: peer.refuse(request, 10, "UNKNOWN_MODEL"), test)


def test_a_call_whose_connection_is_lost_goes_on_over_a_new_one() -> None:
    async def drop_the_first(peer: Peer, request: Received) -> None:
        if peer.number == 0:
            peer.connection.transport.abort()
        else:
            await peer.answer(request)

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        await client.recommend("m", user=1)
        assert server.connections == 2

    play(drop_the_first, test)


def test_a_server_that_drains_brings_what_it_owes_and_gets_nothing_new() -> None:
    release = asyncio.Event()

    async def draining(peer: Peer, request: Received) -> None:
        if peer.number == 0 and request.body["user"] == "late":
            await release.wait()
            await peer.answer(request, [{"id": "owed", "score": 1.0}])
        elif peer.number == 0:
            await peer.refuse(request, 19, "DRAINING")
        else:
            await peer.answer(request, [{"id": "new", "score": 1.0}])

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        late = asyncio.create_task(client.recommend("m", user="late"))
        while not server.requests:
            await asyncio.sleep(0.001)
        assert (await client.recommend("m", user="other")).ids == ["new"]
        release.set()
        assert (await late).ids == ["owed"]
        assert server.connections == 2

    play(draining, test)


def test_without_an_answer_the_call_ends_at_its_deadline_and_the_socket_serves_on() -> None:
    async def silent_once(peer: Peer, request: Received) -> None:
        if request.body["user"] != "silent":
            await peer.answer(request)

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        with pytest.raises(RankdError, match="no answer within the deadline of 30 ms"):
            await client.recommend("m", user="silent", deadline_ms=30)
        await client.recommend("m", user="other")
        assert server.connections == 1

    play(silent_once, test)


def test_a_cancelled_call_takes_no_other_with_it() -> None:
    release = asyncio.Event()

    async def when_released(peer: Peer, request: Received) -> None:
        await release.wait()
        await peer.answer(request)

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        first, second = (asyncio.create_task(client.recommend("m", user=user)) for user in (1, 2))
        while len(server.requests) < 2:
            await asyncio.sleep(0.001)
        first.cancel()
        release.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first

    play(when_released, test)


def test_an_error_of_no_known_request_fails_all_that_wait() -> None:
    async def nameless(peer: Peer, request: Received) -> None:
        await peer.send(
            [1, None, 1, 0, True, {"error": "frame cut short", "code": "INVALID_FRAME", "request_id": None}]
        )

    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        with pytest.raises(RankdError, match="INVALID_FRAME: frame cut short"):
            await client.recommend("m", user=1)

    play(nameless, test)


def test_what_is_no_answer_frame_ends_the_connection_with_a_reason() -> None:
    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        with pytest.raises(RankdError, match="the server sent no answer frame"):
            await client.recommend("m", user=1)

    play(lambda peer, request: peer.connection.send("hello"), test)


def test_nobody_listening_is_connection_lost_and_soon() -> None:
    async def run() -> None:
        async with scripted_server(lambda peer, request: peer.answer(request)) as server:
            url = server.url
        async with AsyncClient(url, deadline_ms=10_000) as client:
            with pytest.raises(RankdError, match="CONNECTION_LOST: cannot connect to ws:") as raised:
                await client.recommend("m", user=1)
            assert raised.value.retryable
            assert client.stats()["retries"] == 2

    asyncio.run(run())


def test_a_client_serves_again_when_its_server_came_back() -> None:
    async def run() -> None:
        async with scripted_server(lambda peer, request: peer.answer(request)) as server:
            client = AsyncClient(server.url, deadline_ms=15_000)
            await client.recommend("m", user=1)
        with pytest.raises(RankdError, match="CONNECTION_LOST"):
            await client.recommend("m", user=2)
        port = int(server.url.split(":")[2].removesuffix("/rpc"))
        async with scripted_server(lambda peer, request: peer.answer(request), port):
            await client.recommend("m", user=3)
            await client.close()

    asyncio.run(run())


def test_a_closed_client_says_so() -> None:
    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        await client.recommend("m", user=1)
        await client.close()
        await client.close()
        with pytest.raises(RankdError, match="this client is closed"):
            await client.recommend("m", user=1)

    play(lambda peer, request: peer.answer(request), test)


def test_closing_fails_the_calls_in_flight() -> None:
    async def test(client: AsyncClient, server: ScriptedServer) -> None:
        call = asyncio.create_task(client.recommend("m", user=1))
        while not server.requests:
            await asyncio.sleep(0.001)
        await client.close()
        with pytest.raises(RankdError, match="CONNECTION_LOST"):
            await call

    async def never(peer: Peer, request: Received) -> None:
        pass

    play(never, test)
