"""A server whose answers a test writes, frame by frame: nothing of rankd behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgpack
from websockets.asyncio.server import ServerConnection, serve

TIMING = {"queue": 1, "compute": 2, "total": 3}


@dataclass(frozen=True)
class Received:
    """A request frame as it came."""

    operation: int
    id: int
    target: str
    deadline_ms: int | None
    priority: int | None
    rows: int | None
    body: dict[str, Any]


@dataclass
class Peer:
    """One connection of the client's. number: 0 for the first."""

    connection: ServerConnection
    number: int

    async def answer(self, request: Received, items: list[dict[str, Any]] | None = None) -> None:
        common = {
            "request_id": request.id,
            "model": request.target,
            "version": "1.0.0",
            "degraded": [],
            "timing": TIMING,
        }
        await self.send([1, request.id, 0, 0, True, {**common, "items": items or []}])

    async def refuse(self, request: Received, number: int, code: str, **more: object) -> None:
        body = {"error": f"refused with {code}", "code": code, "request_id": request.id, **more}
        await self.send([1, request.id, number, 0, True, body])

    async def send(self, frame: list[Any]) -> None:
        await self.connection.send(msgpack.packb(frame))


Script = Callable[[Peer, Received], Awaitable[None]]


@dataclass
class ScriptedServer:
    url: str
    requests: list[Received] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def scripted_server(script: Script, port: int = 0) -> AsyncIterator[ScriptedServer]:
    """Runs `script` for every request frame, each beside the others."""
    scripted = ScriptedServer("")

    async def attend(connection: ServerConnection) -> None:
        peer = Peer(connection, scripted.connections)
        scripted.connections += 1
        async with asyncio.TaskGroup() as tasks:
            async for message in connection:
                assert isinstance(message, bytes)
                request = Received(*msgpack.unpackb(message)[1:])
                scripted.requests.append(request)
                tasks.create_task(_play(script, peer, request))

    async with serve(attend, "127.0.0.1", port) as server:
        host, taken = server.sockets[0].getsockname()[:2]
        scripted.url = f"ws://{host}:{taken}/rpc"
        yield scripted


async def _play(script: Script, peer: Peer, request: Received) -> None:
    await script(peer, request)
