"""What is asked about a server and its models, and not of them: health, metadata, statistics, loading. HTTP, /v2."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote

from .oip import model_path
from .rest import HttpTransport

T = TypeVar("T")


class Retry(Protocol):
    """Makes an attempt, and another one where that is allowed."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]], /) -> T: ...


class ModelControl:
    """A model is named `name` or `name@version`; what it says is told in the words of the Open Inference Protocol."""

    def __init__(self, http: HttpTransport, retry: Retry) -> None:
        self._http = http
        self._retry = retry

    async def live(self) -> bool:
        """Whether the server runs. Raises CONNECTION_LOST when nobody answers."""
        return await self._http.is_ok("/v2/health/live")

    async def ready(self, model: str | None = None) -> bool:
        """Whether the server, or one of its models, takes requests. Raises CONNECTION_LOST when nobody answers."""
        return await self._http.is_ok("/v2/health/ready" if model is None else f"{model_path(model)}/ready")

    async def metadata(self, model: str | None = None) -> dict[str, Any]:
        """Of the server: {name, version, extensions}. Of a model: {name, versions, platform, inputs, outputs}."""
        return cast(dict[str, Any], await self._get("/v2" if model is None else model_path(model)))

    async def config(self, model: str) -> dict[str, Any]:
        """A model's configuration, every default spelt out."""
        return cast(dict[str, Any], await self._get(f"{model_path(model)}/config"))

    async def statistics(self, model: str | None = None) -> list[dict[str, Any]]:
        """Per model and version: counts and nanoseconds since it was loaded."""
        path = "/v2/models/stats" if model is None else f"{model_path(model)}/stats"
        return cast(list[dict[str, Any]], (await self._get(path))["model_stats"])

    async def index(self, *, ready: bool = False) -> list[dict[str, Any]]:
        """What the repositories hold: {name, version?, state?, reason?} each. ready: only what serves."""
        body = {"ready": True} if ready else {}
        return cast(
            list[dict[str, Any]], await self._retry(lambda: self._http.json("POST", "/v2/repository/index", body))
        )

    async def load(
        self, model: str, *, config: Mapping[str, Any] | None = None, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Loads a model, or loads it again: the old one serves until the new one is ready. Needs model control `explicit`.

        config: instead of the repository's. files: path in the model's folder to content, instead of the repository's;
        needs config.
        """
        parameters: dict[str, str] = {}
        if config is not None:
            parameters["config"] = json.dumps(config)
        for path, content in (files or {}).items():
            parameters[f"file:{path}"] = base64.b64encode(content).decode()
        await self._http.json("POST", f"{_repository_path(model)}/load", {"parameters": parameters})

    async def unload(self, model: str) -> None:
        """Needs model control `explicit`. Requests that it has are answered first."""
        await self._http.json("POST", f"{_repository_path(model)}/unload", {})

    async def _get(self, path: str) -> Any:  # noqa: ANN401
        return await self._retry(lambda: self._http.json("GET", path))


def _repository_path(model: str) -> str:
    return f"/v2/repository/models/{quote(model, safe='')}"
