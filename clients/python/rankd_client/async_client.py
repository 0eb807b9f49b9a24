"""The client for asyncio: many calls in flight at once, over RPC on one socket or over HTTP."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar, Unpack, overload
from urllib.parse import urlsplit

from numpy.typing import ArrayLike

from .answers import Feedback, Id, Items, Scores, Tensors, to_feedback, to_items, to_scores
from .calls import Deadline, with_retries
from .codec import Request
from .errors import RankdError
from .model_control import ModelControl
from .oip import InferRequest
from .requests import (
    CallOptions,
    Candidates,
    Event,
    RankOptions,
    Rows,
    UserSide,
    as_arrays,
    check_count,
    make_feedback,
    make_rank,
    make_request,
    make_score,
)
from .rest import HttpTransport
from .retry import RetryPolicy
from .rpc import RpcTransport

T = TypeVar("T")


class Transport(Protocol):
    """How a request reaches the server: `RpcTransport` or `HttpTransport`."""

    async def ask(self, request: Request, deadline: Deadline) -> Mapping[str, Any]: ...
    async def infer(self, request: InferRequest, deadline: Deadline) -> Tensors: ...
    async def close(self) -> None: ...


class AsyncClient(ModelControl):
    """Asks one server.

    url: `ws://host:port/rpc` sends all calls over one WebSocket, `http://host:port` (a path below it may follow) each over
        a connection of its own. Nothing is connected before the first call.
    deadline_ms: of calls that say none; None = wait for ever.
    connect_timeout_ms: how long a connection may take to stand.
    attempts: how often one request is sent at most, the first time included.
    retry_budget: retries per request, in the long run; 3 per second are allowed in any case.

    Methods raise `RankdError`. `OVERLOADED`, `DRAINING`, `MODEL_NOT_READY` and `CONNECTION_LOST` were tried again before,
    within the deadline: all but `load`, `unload` and `feedback` only read. `feedback` is not sent again after `CONNECTION_LOST`.

    >>> async with AsyncClient("ws://127.0.0.1:8000/rpc", deadline_ms=50) as client:
    ...     answers = await asyncio.gather(*(client.recommend("packages", user=user) for user in users))
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        deadline_ms: float | None = None,
        connect_timeout_ms: float = 5000,
        attempts: int = 3,
        retry_budget: float = 0.2,
    ) -> None:
        _check(deadline_ms, connect_timeout_ms, attempts, retry_budget)
        self.url = url
        self._deadline_ms = deadline_ms
        self._policy = RetryPolicy(attempts, retry_budget)
        http = HttpTransport(_http_base(url), connect_timeout_ms / 1000)
        super().__init__(http, self._retried)
        is_rpc = url.startswith(("ws:", "wss:"))
        self._transport: Transport = RpcTransport(url, connect_timeout_ms / 1000) if is_rpc else http

    async def recommend(self, target: str, **request: Unpack[UserSide]) -> Items:
        """Items for a user or a history, best first; never empty while the catalogue is not.

        target: `name`, `name@alias` or `name@version`. Fields: user, history, features, context, k, exclude, filters.
        Options of every call: deadline_ms, priority, traceparent.
        """
        return to_items(await self._ask(make_request("recommend", target, request), request))

    @overload
    async def rank(
        self, target: str, candidates: Candidates, *, order: Literal["best"] = "best", **request: Unpack[RankOptions]
    ) -> Items: ...
    @overload
    async def rank(
        self, target: str, candidates: Candidates, *, order: Literal["input"], **request: Unpack[RankOptions]
    ) -> Scores: ...
    async def rank(
        self,
        target: str,
        candidates: Candidates,
        *,
        order: Literal["best", "input"] = "best",
        **request: Unpack[RankOptions],
    ) -> Items | Scores:
        """Orders candidates for a user; with order="input" one score per candidate, in the order sent.

        candidates: ids; {"id", "features"}; a uint32 array of rows of the item table; a uint64 array of integer ids.
        Further fields as in `recommend`, and query.
        """
        body = await self._ask(make_rank(target, candidates, order, request), request)
        return to_scores(body) if order == "input" else to_items(body)

    async def similar(self, target: str, item: Id, *, k: int | None = None, **options: Unpack[CallOptions]) -> Items:
        """Items like one item, nearest first, without itself."""
        return to_items(await self._ask(make_request("similar", target, {**options, "item": item, "k": k}), options))

    async def score(self, target: str, rows: Rows, **options: Unpack[CallOptions]) -> Scores:
        """Scores rows: an array [B, F] in the manifest's column order, or one map or one list per row."""
        scores = to_scores(await self._ask(make_score(target, rows, options), options))
        check_count(scores, rows)
        return scores

    async def infer(
        self,
        target: str,
        inputs: Mapping[str, ArrayLike],
        *,
        outputs: Sequence[str] | None = None,
        datatypes: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Tensors:
        """Runs a model on arrays by name and gives its outputs by name.

        outputs: what to compute; default everything. datatypes: for what numpy has no type, {"x": "BF16"}. BYTES go in as
        text or bytes and come as an object array of bytes; BF16 comes widened to float32.
        """
        request = InferRequest(
            target, as_arrays(inputs), outputs, datatypes, options.get("priority", 0), options.get("traceparent")
        )
        deadline = self._deadline(options)
        return await with_retries(self._policy, deadline, lambda: self._transport.infer(request, deadline))

    async def feedback(self, target: str, events: Event | Sequence[Event], **options: Unpack[CallOptions]) -> Feedback:
        """Tells what users did, so that the next model learns it: one event or up to 1,000, all or none of which are taken.

        target: the model whose answers the users saw. After CONNECTION_LOST or DEADLINE_EXCEEDED nobody knows whether they
        were taken, and they are not sent again: they would count twice.
        """
        return to_feedback(await self._ask(make_feedback(target, events, options), options, is_read=False))

    def stats(self) -> dict[str, int]:
        """Counts since the client was made: {requests, retries}."""
        return {"requests": self._policy.requests, "retries": self._policy.retries}

    async def close(self) -> None:
        """Closes all connections; calls in flight fail with CONNECTION_LOST. May be called twice."""
        await self._transport.close()
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def _ask(self, request: Request, options: CallOptions, *, is_read: bool = True) -> Mapping[str, Any]:
        deadline = self._deadline(options)
        return await with_retries(
            self._policy, deadline, lambda: self._transport.ask(request, deadline), is_read=is_read
        )

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await with_retries(self._policy, Deadline(self._deadline_ms), attempt)

    def _deadline(self, options: CallOptions) -> Deadline:
        return Deadline(options.get("deadline_ms", self._deadline_ms))


def _check(deadline_ms: float | None, connect_timeout_ms: float, attempts: int, retry_budget: float) -> None:
    """Raises INVALID_ARGUMENT for an option that makes no sense."""
    Deadline(deadline_ms)
    for name, value, allowed, is_allowed in [
        ("connect_timeout_ms", connect_timeout_ms, "a number above 0", 0 < connect_timeout_ms < math.inf),
        ("attempts", attempts, "a whole number from 1", isinstance(attempts, int) and attempts >= 1),
        ("retry_budget", retry_budget, "a number from 0 to 1", 0 <= retry_budget <= 1),
    ]:
        if not is_allowed:
            raise RankdError("INVALID_ARGUMENT", f"{name} must be {allowed}, got {value!r}")


def _http_base(url: str) -> str:
    """Raises INVALID_ARGUMENT for what is no url of a server."""
    parts = urlsplit(url)
    schemes = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
    if parts.scheme not in schemes or not parts.netloc:
        raise RankdError("INVALID_ARGUMENT", f"a url must be like http://host:8000 or ws://host:8000/rpc, got {url!r}")
    path = parts.path.removesuffix("/rpc") if parts.scheme.startswith("ws") else parts.path
    return f"{schemes[parts.scheme]}://{parts.netloc}{path}"
