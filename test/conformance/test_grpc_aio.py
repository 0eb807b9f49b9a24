"""`tritonclient.grpc.aio` before rankd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc.aio as grpc
from tritonclient.utils import InferenceServerException

from rankd_process import Rankd
from requests_of import check_simple, simple_inputs

Test = Callable[[grpc.InferenceServerClient], Awaitable[None]]


@pytest.fixture
def run(server: Rankd) -> Callable[[Test], None]:
    """Runs a test of a client."""

    async def with_client(test: Test) -> None:
        async with grpc.InferenceServerClient(server.grpc_address) as client:
            await test(client)

    return lambda test: asyncio.run(with_client(test))


def test_health_and_metadata(run: Callable[[Test], None]) -> None:
    async def test(client: grpc.InferenceServerClient) -> None:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("simple")
        assert (await client.get_server_metadata()).name == "triton"
        assert list((await client.get_model_metadata("simple")).versions) == ["1"]
        assert (await client.get_model_config("simple")).config.max_batch_size == 8
        assert len((await client.get_inference_statistics("simple")).model_stats) == 1

    run(test)


def test_many_requests_at_once(run: Callable[[Test], None]) -> None:
    lefts = [np.full((1, 16), at, np.int32) for at in range(40)]

    async def test(client: grpc.InferenceServerClient) -> None:
        results = await asyncio.gather(*(client.infer("simple", simple_inputs(grpc, left)) for left in lefts))
        for left, result in zip(lefts, results, strict=True):
            check_simple(result, left)

    run(test)


def test_a_stream_answers_each_request(run: Callable[[Test], None]) -> None:
    async def requests() -> AsyncIterator[dict[str, Any]]:
        for at in range(10):
            left = np.full((1, 16), at, np.int32)
            yield {"model_name": "simple", "inputs": simple_inputs(grpc, left), "request_id": str(at)}

    async def test(client: grpc.InferenceServerClient) -> None:
        seen = set()
        async for result, error in client.stream_infer(requests()):
            assert error is None
            at = int(result.get_response().id)
            check_simple(result, np.full((1, 16), at, np.int32))
            seen.add(at)
        assert seen == set(range(10))

    run(test)


def test_an_error_has_its_status(run: Callable[[Test], None]) -> None:
    async def test(client: grpc.InferenceServerClient) -> None:
        with pytest.raises(InferenceServerException) as raised:
            await client.infer("nobody", simple_inputs(grpc))
        assert raised.value.status() == "StatusCode.NOT_FOUND"

    run(test)
