"""`tritonclient.http.aio` before rankd."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
import tritonclient.http.aio as http
from tritonclient.utils import InferenceServerException

from rankd_process import Rankd
from requests_of import an_input, check_simple, simple_inputs, texts

Test = Callable[[http.InferenceServerClient], Awaitable[None]]


@pytest.fixture
def run(server: Rankd) -> Callable[[Test], None]:
    """Runs a test of a client."""

    async def with_client(test: Test) -> None:
        async with http.InferenceServerClient(server.address) as client:
            await test(client)

    return lambda test: asyncio.run(with_client(test))


def test_health_and_metadata(run: Callable[[Test], None]) -> None:
    async def test(client: http.InferenceServerClient) -> None:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("simple")
        assert (await client.get_server_metadata())["name"] == "triton"
        assert (await client.get_model_metadata("simple"))["versions"] == ["1"]
        assert (await client.get_model_config("simple"))["max_batch_size"] == 8
        assert len((await client.get_inference_statistics("simple"))["model_stats"]) == 1
        assert "simple" in {each["name"] for each in await client.get_model_repository_index()}

    run(test)


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_infer(run: Callable[[Test], None], binary: bool, compression: str | None) -> None:
    outputs = [http.InferRequestedOutput(name, binary_data=binary) for name in ("OUTPUT0", "OUTPUT1")]

    async def test(client: http.InferenceServerClient) -> None:
        result = await client.infer(
            "simple",
            simple_inputs(http, binary_data=binary),
            outputs=outputs,
            request_compression_algorithm=compression,
            response_compression_algorithm=compression,
        )
        check_simple(result)

    run(test)


def test_many_requests_at_once(run: Callable[[Test], None]) -> None:
    lefts = [np.full((1, 16), at, np.int32) for at in range(40)]

    async def test(client: http.InferenceServerClient) -> None:
        results = await asyncio.gather(*(client.infer("simple", simple_inputs(http, left)) for left in lefts))
        for left, result in zip(lefts, results, strict=True):
            check_simple(result, left)

    run(test)


def test_bytes_classification_and_errors(run: Callable[[Test], None]) -> None:
    array = texts(b"", b"\x00\xff", "grüße".encode())
    row = np.array([[1, 5, 2, 0]], np.float32)

    async def test(client: http.InferenceServerClient) -> None:
        result = await client.infer("simple_identity", [an_input(http, "INPUT0", array)])
        assert list(result.as_numpy("OUTPUT0").ravel()) == list(array.ravel())
        best = [http.InferRequestedOutput("OUTPUT0", class_count=1)]
        result = await client.infer("classifier", [an_input(http, "INPUT0", row)], outputs=best)
        assert result.as_numpy("OUTPUT0").tolist()[0][0].decode().split(":")[1:] == ["1", "dog"]
        with pytest.raises(InferenceServerException, match="Request for unknown model: 'nobody' is not found"):
            await client.infer("nobody", [an_input(http, "INPUT0", row)])

    run(test)
