"""KServe's `InferenceRESTClient` before rankd. It runs in a process of its own: kserve and tritonclient name the same
protobuf messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import InferOutput, InferResponse, RequestedOutput

from rankd_process import Rankd

Test = Callable[[InferenceRESTClient, str], Awaitable[None]]
LEFT = np.arange(16, dtype=np.int32).reshape(1, 16)
RIGHT = np.ones((1, 16), np.int32)


@pytest.fixture
def run(server: Rankd) -> Callable[[Test], None]:
    """Runs a test of a client and the base url."""

    async def with_client(test: Test) -> None:
        async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
            await test(client, server.http_url)

    return lambda test: asyncio.run(with_client(test))


def tensor(name: str, array: np.ndarray, datatype: str, *, binary: bool) -> InferInput:
    made = InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def simple(*, binary: bool) -> InferRequest:
    inputs = [tensor("INPUT0", LEFT, "INT32", binary=binary), tensor("INPUT1", RIGHT, "INT32", binary=binary)]
    return InferRequest("simple", inputs, request_id="r1")


def output(answer: InferResponse, name: str) -> np.ndarray:
    found: InferOutput = next(each for each in answer.outputs if each.name == name)
    return found.as_numpy()


def test_health(run: Callable[[Test], None]) -> None:
    async def test(client: InferenceRESTClient, url: str) -> None:
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        assert await client.is_model_ready(url, "simple")

    run(test)


@pytest.mark.parametrize("binary", [True, False])
def test_infer(run: Callable[[Test], None], binary: bool) -> None:
    async def test(client: InferenceRESTClient, url: str) -> None:
        answer = await client.infer(url, simple(binary=binary), model_name="simple")
        assert (answer.model_name, answer.id) == ("simple", "r1")
        np.testing.assert_array_equal(output(answer, "OUTPUT0"), LEFT + RIGHT)
        np.testing.assert_array_equal(output(answer, "OUTPUT1"), LEFT - RIGHT)

    run(test)


@pytest.mark.parametrize("binary", [True, False])
def test_binary_outputs_asked_for_all_at_once(run: Callable[[Test], None], binary: bool) -> None:
    request = simple(binary=True)
    request.parameters = {"binary_data_output": binary}

    async def test(client: InferenceRESTClient, url: str) -> None:
        headers: dict[str, str] = {}
        answer = await client.infer(url, request, model_name="simple", response_headers=headers)
        np.testing.assert_array_equal(output(answer, "OUTPUT0"), LEFT + RIGHT)
        assert ("inference-header-content-length" in headers) == binary

    run(test)


def test_an_output_asked_for_by_name(run: Callable[[Test], None]) -> None:
    request = simple(binary=True)
    request.request_outputs = [RequestedOutput("OUTPUT1", parameters={"binary_data": True})]

    async def test(client: InferenceRESTClient, url: str) -> None:
        answer = await client.infer(url, request, model_name="simple")
        assert [each.name for each in answer.outputs] == ["OUTPUT1"]
        np.testing.assert_array_equal(output(answer, "OUTPUT1"), LEFT - RIGHT)

    run(test)


def test_bytes(run: Callable[[Test], None]) -> None:
    array = np.array([[b"", "grüße".encode(), b"plain"]], object)
    request = InferRequest("simple_identity", [tensor("INPUT0", array, "BYTES", binary=True)])

    async def test(client: InferenceRESTClient, url: str) -> None:
        answer = await client.infer(url, request, model_name="simple_identity")
        back = [text if isinstance(text, bytes) else text.encode() for text in output(answer, "OUTPUT0").ravel()]
        assert back == list(array.ravel())

    run(test)


def test_fp16(run: Callable[[Test], None]) -> None:
    array = np.array([[0.5, -2, np.inf]], np.float16)
    request = InferRequest("identity_fp16", [tensor("INPUT0", array, "FP16", binary=True)])
    request.parameters = {"binary_data_output": True}

    async def test(client: InferenceRESTClient, url: str) -> None:
        answer = await client.infer(url, request, model_name="identity_fp16")
        np.testing.assert_array_equal(output(answer, "OUTPUT0"), array)

    run(test)


def test_a_document_instead_of_a_request(run: Callable[[Test], None]) -> None:
    tensors = [
        {"name": name, "datatype": "INT32", "shape": [1, 16], "data": array.ravel().tolist()}
        for name, array in (("INPUT0", LEFT), ("INPUT1", RIGHT))
    ]

    async def test(client: InferenceRESTClient, url: str) -> None:
        answer = await client.infer(url, {"inputs": tensors}, model_name="simple")
        assert output(answer, "OUTPUT0").tolist() == (LEFT + RIGHT).tolist()

    run(test)


def test_errors_are_raised_with_their_status(run: Callable[[Test], None]) -> None:
    async def test(client: InferenceRESTClient, url: str) -> None:
        with pytest.raises(httpx.HTTPStatusError) as raised:
            await client.infer(url, simple(binary=True), model_name="nobody")
        assert raised.value.response.status_code == 404
        assert "Request for unknown model: 'nobody' is not found" in raised.value.response.json()["error"]

    run(test)


def test_models_are_listed_as_kserve_lists_them(server: Rankd) -> None:
    names = httpx.get(f"{server.http_url}/v2/models").json()["models"]
    assert {"simple", "variable"} <= set(names)
