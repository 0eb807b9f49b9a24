"""HTTP: calls of /v1 and /v2 on kept connections, and the answers' errors as ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from .answers import Tensors
from .calls import Deadline
from .codec import Request, decode_body
from .errors import RankdError, error_of
from .oip import JSON_LENGTH, InferRequest, decode_infer, encode_infer, model_path

MSGPACK = "application/msgpack"

#: What the header may say; a longer deadline is kept here alone.
LONGEST_DEADLINE_MS = 3_600_000

#: What a status means when whoever answered is not rankd: a proxy, say.
_CODES_OF_STATUS = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "TOO_LARGE", 429: "OVERLOADED", 503: "OVERLOADED"}


class HttpTransport:
    """One host, as many connections as calls are in flight at once."""

    def __init__(self, base: str, connect_timeout: float) -> None:
        """base: http://host:port, or with a path below which the server lives. connect_timeout: seconds."""
        self._base = base.rstrip("/")
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=connect_timeout),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=False,
        )

    async def ask(self, request: Request, deadline: Deadline) -> Mapping[str, Any]:
        """/v1 in msgpack."""
        headers = {"content-type": MSGPACK, **_deadline(deadline)}
        path = f"/v1/{request.operation}/{quote(request.target, safe='@')}"
        answer = await self._send("POST", path, request.body, headers)
        body = _decoded(answer)
        if not isinstance(body, dict):
            raise RankdError("INTERNAL", f"{path} answered no map")
        return body

    async def infer(self, request: InferRequest, deadline: Deadline) -> Tensors:
        """/v2 with binary tensors."""
        body, json_length = encode_infer(request)
        headers = {JSON_LENGTH: str(json_length), "content-type": "application/octet-stream", **_deadline(deadline)}
        if request.traceparent is not None:
            headers["traceparent"] = request.traceparent
        path = f"{model_path(request.target)}/infer"
        answer = await self._send("POST", path, body, headers)
        try:
            return decode_infer(answer.content, answer.headers.get(JSON_LENGTH))
        except (ValueError, KeyError, TypeError) as cause:
            raise RankdError("INTERNAL", f"{path} answered no tensors: {cause}") from cause

    async def json(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """A call with JSON both ways; an empty answer is None."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = await self._send(method, path, content, {"content-type": "application/json"})
        return _decoded(answer)

    async def is_ok(self, path: str) -> bool:
        """Whether a probe says yes: 200. Raises CONNECTION_LOST when nobody answers."""
        return (await self._exchange("GET", path, b"", {})).status_code == 200

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        answer = await self._exchange(method, path, content, headers)
        if answer.status_code != 200:
            raise _error(answer)
        return answer

    async def _exchange(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return await self._http.request(method, self._base + path, content=content, headers=headers)
        except (httpx.TransportError, httpx.StreamError) as cause:
            raise RankdError("CONNECTION_LOST", f"{self._base}: {cause or type(cause).__name__}") from cause
        except RuntimeError as cause:  # httpx's word for a client that was closed
            raise RankdError("CONNECTION_LOST", "this client is closed") from cause


def _deadline(deadline: Deadline) -> dict[str, str]:
    left_ms = deadline.left_ms
    return {} if left_ms is None else {"x-deadline-ms": str(min(left_ms, LONGEST_DEADLINE_MS))}


def _decoded(answer: httpx.Response) -> Any:  # noqa: ANN401
    """Raises INTERNAL for a body that is neither msgpack nor JSON, as its Content-Type says."""
    if not answer.content:
        return None
    try:
        return (
            decode_body(answer.content)
            if "msgpack" in answer.headers.get("content-type", "")
            else json.loads(answer.content)
        )
    except ValueError as cause:
        raise RankdError("INTERNAL", f"{answer.url.path} answered what cannot be read: {cause}") from cause


def _error(answer: httpx.Response) -> RankdError:
    code = _CODES_OF_STATUS.get(answer.status_code, "INTERNAL")
    try:
        body = _decoded(answer)
    except RankdError:
        body = None
    if not isinstance(body, dict) or "error" not in body:
        body = {"error": f"{answer.url.path} answered {answer.status_code} {answer.reason_phrase}"}
    return error_of(body, code)
