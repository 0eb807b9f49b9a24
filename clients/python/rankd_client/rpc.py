"""RPC: one WebSocket for all calls, connected when it is needed, and again when it was lost or its server drains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from .answers import Tensors
from .calls import Deadline
from .codec import Request, encode_body, encode_frame
from .errors import RankdError
from .oip import InferRequest
from .retry import backoff
from .rpc_socket import RpcSocket
from .tensors import from_bytes

#: Seconds between attempts to connect, "full jitter" below them.
BASE, LONGEST = 0.05, 5.0


class RpcTransport:
    """url: ws://host:port/rpc. connect_timeout: seconds. Belongs to the event loop of its first call."""

    def __init__(self, url: str, connect_timeout: float) -> None:
        self._url = url
        self._connect_timeout = connect_timeout
        self._socket: RpcSocket | None = None
        #: Standing ones, with those that only finish what they have.
        self._sockets: set[RpcSocket] = set()
        self._connecting: asyncio.Task[RankdError | None] | None = None
        self._failures = 0
        self._connect_at = 0.0
        self._loss: RankdError | None = None
        self._is_closed = False

    async def ask(self, request: Request, deadline: Deadline) -> Mapping[str, Any]:
        socket = await self._ready(deadline)
        return await socket.ask(lambda request_id: encode_frame(request, request_id, deadline.left_ms))

    async def infer(self, request: InferRequest, deadline: Deadline) -> Tensors:
        body = await self.ask(_infer_request(request), deadline)
        outputs = {each["name"]: from_bytes(each["data"], each["datatype"], each["shape"]) for each in body["outputs"]}
        return Tensors(outputs, model=body["model"], version=body["version"], request_id=body["request_id"])

    async def close(self) -> None:
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        await asyncio.gather(*(socket.close() for socket in self._sockets))

    async def _ready(self, deadline: Deadline) -> RpcSocket:
        """A socket that takes requests. All that come while it connects wait for the same attempt; at once
        CONNECTION_LOST when the next attempt would be made after the deadline."""
        while self._socket is None or not self._socket.takes_requests:
            if self._is_closed:
                raise RankdError("CONNECTION_LOST", "this client is closed")
            self._drop()
            if self._connecting is None:
                wait = max(0.0, self._connect_at - time.monotonic())
                if self._loss is not None and wait >= deadline.left:
                    raise self._loss
                self._connecting = asyncio.create_task(self._connect(wait))
            # A caller that gives up does not take the attempt from the others.
            failure = await asyncio.shield(self._connecting)
            if failure is not None:
                raise failure
        return self._socket

    async def _connect(self, wait: float) -> RankdError | None:
        """The error instead of raising it: nobody may be left to hear it."""
        try:
            await asyncio.sleep(wait)
            self._socket = await RpcSocket.open(self._url, self._connect_timeout)
            self._sockets.add(self._socket)
            return None
        except RankdError as error:
            self._loss = error
            self._failed()
            return error
        finally:
            self._connecting = None

    def _drop(self) -> None:
        """A host that takes connections and drops them is as little use as one that takes none: only an answer proves it."""
        if self._socket is None:
            return
        if self._socket.has_answered:
            self._failures = 0
        else:
            self._failed()
        self._sockets = {socket for socket in self._sockets if not socket.is_over}
        self._socket = None

    def _failed(self) -> None:
        self._failures += 1
        self._connect_at = time.monotonic() + backoff(self._failures, BASE, LONGEST)


def _infer_request(request: InferRequest) -> Request:
    fields: dict[str, Any] = {"inputs": [{**about, "data": data} for about, data in request.tensors()]}
    if request.outputs is not None:
        fields["outputs"] = [{"name": name} for name in request.outputs]
    if request.traceparent is not None:
        fields["traceparent"] = request.traceparent
    rows = next((array.shape[0] for array in request.inputs.values() if array.ndim > 0), 0)
    return Request("infer", request.target, encode_body(fields), rows, request.priority)
