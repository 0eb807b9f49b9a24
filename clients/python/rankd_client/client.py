"""The client for callers who wait: every method of `AsyncClient`, with the answer itself instead of an awaitable."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

from numpy.typing import ArrayLike

from .answers import Feedback, Id, Items, Scores, Tensors
from .async_client import AsyncClient
from .errors import RankdError
from .loop_thread import LoopThread
from .requests import CallOptions, Candidates, Event, RankOptions, Rows, UserSide

T = TypeVar("T")


class Client:
    """Asks one server; any number of threads may share it, and over RPC they share one socket.

    Arguments and errors are those of `AsyncClient`, which `aio` is. `gather` has many calls in flight without threads:

    >>> with Client("ws://127.0.0.1:8000/rpc", deadline_ms=50) as client:
    ...     best = client.recommend("packages", history=["cmake", "libfmt-dev"], k=5)
    ...     answers = client.gather(client.aio.recommend("packages", user=user) for user in users)
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
        self.aio = AsyncClient(
            url,
            deadline_ms=deadline_ms,
            connect_timeout_ms=connect_timeout_ms,
            attempts=attempts,
            retry_budget=retry_budget,
        )
        self._loop = LoopThread()

    def recommend(self, target: str, **request: Unpack[UserSide]) -> Items:
        """Items for a user or a history, best first; never empty while the catalogue is not.

        target: `name`, `name@alias` or `name@version`. Fields: user, history, features, context, k, exclude, filters.
        Options of every call: deadline_ms, priority, traceparent.
        """
        return self._run(self.aio.recommend(target, **request))

    @overload
    def rank(
        self, target: str, candidates: Candidates, *, order: Literal["best"] = "best", **request: Unpack[RankOptions]
    ) -> Items: ...
    @overload
    def rank(
        self, target: str, candidates: Candidates, *, order: Literal["input"], **request: Unpack[RankOptions]
    ) -> Scores: ...
    def rank(
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
        if order == "input":
            return self._run(self.aio.rank(target, candidates, order="input", **request))
        return self._run(self.aio.rank(target, candidates, order=order, **request))

    def similar(self, target: str, item: Id, *, k: int | None = None, **options: Unpack[CallOptions]) -> Items:
        """Items like one item, nearest first, without itself."""
        return self._run(self.aio.similar(target, item, k=k, **options))

    def score(self, target: str, rows: Rows, **options: Unpack[CallOptions]) -> Scores:
        """Scores rows: an array [B, F] in the manifest's column order, or one map or one list per row."""
        return self._run(self.aio.score(target, rows, **options))

    def infer(
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
        return self._run(self.aio.infer(target, inputs, outputs=outputs, datatypes=datatypes, **options))

    def feedback(self, target: str, events: Event | Sequence[Event], **options: Unpack[CallOptions]) -> Feedback:
        """Tells what users did, so that the next model learns it: one event or up to 1,000, all or none of which are taken.

        target: the model whose answers the users saw. After CONNECTION_LOST or DEADLINE_EXCEEDED nobody knows whether they
        were taken, and they are not sent again: they would count twice.
        """
        return self._run(self.aio.feedback(target, events, **options))

    def live(self) -> bool:
        """Whether the server runs."""
        return self._run(self.aio.live())

    def ready(self, model: str | None = None) -> bool:
        """Whether the server, or one of its models, takes requests."""
        return self._run(self.aio.ready(model))

    def metadata(self, model: str | None = None) -> dict[str, Any]:
        """Of the server: {name, version, extensions}. Of a model: {name, versions, platform, inputs, outputs}."""
        return self._run(self.aio.metadata(model))

    def config(self, model: str) -> dict[str, Any]:
        """A model's configuration, every default spelt out."""
        return self._run(self.aio.config(model))

    def statistics(self, model: str | None = None) -> list[dict[str, Any]]:
        """Per model and version: counts and nanoseconds since it was loaded."""
        return self._run(self.aio.statistics(model))

    def index(self, *, ready: bool = False) -> list[dict[str, Any]]:
        """What the repositories hold: {name, version?, state?, reason?} each. ready: only what serves."""
        return self._run(self.aio.index(ready=ready))

    def load(
        self, model: str, *, config: Mapping[str, Any] | None = None, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Loads a model, or loads it again; `AsyncClient.load` explains config and files."""
        self._run(self.aio.load(model, config=config, files=files))

    def unload(self, model: str) -> None:
        """Needs model control `explicit`. Requests that it has are answered first."""
        self._run(self.aio.unload(model))

    def gather(self, calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """Has all these calls of `aio` in flight at once and gives their answers in order; raises the first error."""

        async def all_of(calls: list[Coroutine[Any, Any, T]]) -> list[T]:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(call) for call in calls]
            return [task.result() for task in tasks]

        try:
            return self._run(all_of(list(calls)))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    def stats(self) -> dict[str, int]:
        """Counts since the client was made: {requests, retries}."""
        return self.aio.stats()

    def close(self) -> None:
        """Closes all connections; calls in flight fail with CONNECTION_LOST. May be called twice."""
        if not self._loop.is_closed:
            self._loop.run(self.aio.close())
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.aio.url!r})"

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed:
            call.close()
            raise RankdError("CONNECTION_LOST", "this client is closed")
        return self._loop.run(call)
