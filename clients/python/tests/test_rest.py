"""HTTP against servers that are not rankd: proxies, broken answers, connections that end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from rankd_client import AsyncClient, RankdError

#: What a server sends for each request, the last one for all further ones; None ends the connection instead.
Answers = list[bytes | None]


def answer(status: str, body: bytes, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


@asynccontextmanager
async def canned_server(answers: Answers) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its url, and the heads of the requests that came."""
    heads: list[bytes] = []

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
                heads.append(head)
                sent = answers.pop(0) if len(answers) > 1 else answers[0]
                if sent is None:
                    return
                writer.write(sent)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(attend, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


def play(answers: Answers, test: Callable[[AsyncClient, list[bytes]], Awaitable[None]], path: str = "") -> None:
    async def run() -> None:
        async with (
            asyncio.timeout(20),
            canned_server(answers) as (url, heads),
            AsyncClient(url + path, deadline_ms=10_000) as client,
        ):
            await test(client, heads)

    asyncio.run(run())


def fails_with(code: str, words: str) -> Callable[[AsyncClient, list[bytes]], Awaitable[None]]:
    async def test(client: AsyncClient, heads: list[bytes]) -> None:
        with pytest.raises(RankdError, match=words) as raised:
            await client.infer("m", {"x": np.zeros(1, np.float32)})
        assert raised.value.code == code

    return test


def test_a_proxys_page_is_told_by_its_status() -> None:
    page = answer("502 Bad Gateway", b"<html>bad gateway</html>", "Content-Type: text/html")
    play([page], fails_with("INTERNAL", "/v2/models/m/infer answered 502 Bad Gateway"))
    play([answer("404 Not Found", b"")], fails_with("NOT_FOUND", "answered 404 Not Found"))


def test_a_proxy_without_a_server_behind_it_is_asked_again() -> None:
    metadata = answer("200 OK", b'{"name": "rankd"}', "Content-Type: application/json")

    async def test(client: AsyncClient, heads: list[bytes]) -> None:
        assert await client.metadata() == {"name": "rankd"}
        assert len(heads) == 3

    play([answer("503 Service Unavailable", b"busy"), None, metadata], test)


def test_what_changes_the_server_is_never_sent_twice() -> None:
    async def test(client: AsyncClient, heads: list[bytes]) -> None:
        with pytest.raises(RankdError, match="503"):
            await client.load("m")
        assert len(heads) == 1

    play([answer("503 Service Unavailable", b"busy")], test)


def test_an_answer_that_is_no_tensors_is_a_bug_of_the_server() -> None:
    for body in (b"{}", b"[]", b"no JSON", b'{"outputs": [{}]}'):
        play([answer("200 OK", body)], fails_with("INTERNAL", "answered no tensors"))


def test_an_error_of_the_server_keeps_its_code_and_its_advice() -> None:
    body = b'{"error": "too busy", "code": "OVERLOADED", "request_id": "q", "retry_after_ms": 60000}'

    async def test(client: AsyncClient, heads: list[bytes]) -> None:
        with pytest.raises(RankdError, match="too busy") as raised:
            await client.infer("m", {"x": np.zeros(1, np.float32)})
        assert (raised.value.code, raised.value.retry_after, raised.value.request_id) == ("OVERLOADED", 60.0, "q")
        assert len(heads) == 1  # the advice does not fit into the deadline

    play([answer("503 Service Unavailable", body, "Content-Type: application/json")], test)


def test_calls_go_below_the_path_of_the_url_and_carry_their_deadline() -> None:
    async def test(client: AsyncClient, heads: list[bytes]) -> None:
        assert await client.ready("m@3")
        with pytest.raises(RankdError):
            await client.infer("m@3", {"x": np.zeros(1, np.float32)}, deadline_ms=7_200_000)
        assert heads[0].startswith(b"GET /base/v2/models/m/versions/3/ready ")
        assert heads[1].startswith(b"POST /base/v2/models/m/versions/3/infer ")
        assert b"x-deadline-ms: 3600000" in heads[1].lower()

    play([answer("200 OK", b"{}")], test, path="/base/")
