"""One WebSocket from its birth to its end: requests leave on it, and the frames of their answers find them by id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from .codec import AnswerFrame, decode_frame
from .errors import RankdError

#: Seconds between pings, and how long a server may take to answer one: finds peers that went without a word.
PING_SECONDS = 20

#: Seconds that a server may take to answer our close frame.
CLOSE_SECONDS = 1


class RpcSocket:
    """Takes any number of requests at once. Belongs to one event loop."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._pending: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._last_id = 0
        self._is_retired = False
        self.has_answered = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str, timeout: float) -> RpcSocket:
        """timeout: seconds. Raises CONNECTION_LOST."""
        try:
            return cls(
                await connect(
                    url,
                    open_timeout=timeout,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    compression=None,
                    max_size=None,
                    proxy=None,
                )
            )
        except (OSError, TimeoutError, WebSocketException) as cause:
            raise RankdError("CONNECTION_LOST", f"cannot connect to {url}: {cause or type(cause).__name__}") from cause

    @property
    def takes_requests(self) -> bool:
        return not self._is_retired and not self.is_over

    @property
    def is_over(self) -> bool:
        """Nothing comes on it any more."""
        return self._reader.done()

    async def ask(self, frame_of: Callable[[int], bytes]) -> Mapping[str, Any]:
        """frame_of: makes the bytes of the request with this id. Raises what the server answered, or CONNECTION_LOST."""
        request_id = self._next_id()
        frame = frame_of(request_id)
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = answer
        try:
            await self._send(frame)
            return await answer
        finally:
            self._pending.pop(request_id, None)
            await self._close_if_done()

    async def close(self) -> None:
        self._is_retired = True
        await self._connection.close()
        await asyncio.wait([self._reader])

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFFFFFF + 1  # fits msgpack's short integers; never so many in flight
        return self._last_id

    async def _send(self, frame: bytes) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as cause:
            raise _lost(cause) from cause

    async def _read(self) -> None:
        """Until the connection ends, for whatever reason: then nobody waits any more."""
        error = RankdError("CONNECTION_LOST", "the connection was closed while this request was in flight")
        try:
            async for message in self._connection:
                self._receive(_frame(message))
        except ConnectionClosed as cause:
            error = _lost(cause)
        except RankdError as thrown:
            error = thrown
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(error)
        await self._connection.close()

    def _receive(self, frame: AnswerFrame) -> None:
        """Raises what ends the connection: an answer to nobody means that somebody would wait for ever."""
        if frame.id is None:
            raise frame.error or RankdError("INTERNAL", "the server sent an answer without an id")
        self.has_answered = True
        if frame.error is not None and frame.error.code == "DRAINING":
            self._is_retired = True
        answer = self._pending.get(frame.id)
        if answer is None or answer.done() or not frame.is_last:
            return
        if frame.error is not None:
            answer.set_exception(frame.error)
        else:
            answer.set_result(frame.body)

    async def _close_if_done(self) -> None:
        if self._is_retired and not self._pending:
            await self._connection.close()


def _frame(message: str | bytes) -> AnswerFrame:
    try:
        if isinstance(message, str):
            raise ValueError("a text message")
        return decode_frame(message)
    except ValueError as cause:
        raise RankdError("INTERNAL", f"this is a bug: the server sent no answer frame ({cause})") from cause


def _lost(cause: ConnectionClosed) -> RankdError:
    return RankdError("CONNECTION_LOST", f"the connection was closed while this request was in flight ({cause})")
