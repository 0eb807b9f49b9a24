"""What goes wrong, in the statuses and the words that users of Triton know."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as http_client
from tritonclient.utils import InferenceServerException

from rankd_process import Rankd
from requests_of import LEFT, RIGHT, an_input, simple_inputs

Client = http_client.InferenceServerClient


@pytest.fixture
def client(server: Rankd) -> Iterator[Client]:
    with Client(server.address) as made:
        yield made


def infer(model: str, *inputs: Any, **options: Any) -> Callable[[Client], object]:  # noqa: ANN401
    return lambda client: client.infer(model, list(inputs), **options)


INPUT0, INPUT1 = (an_input(http_client, name, LEFT) for name in ("INPUT0", "INPUT1"))
WIDE = np.zeros((1, 15), np.int32)
NINE = np.zeros((9, 16), np.int32)
FLOATS = LEFT.astype(np.float32)

ERRORS = {
    "an unknown model": (
        infer("nobody", INPUT0),
        "404",
        "Request for unknown model: 'nobody' is not found",
    ),
    "an unknown version": (
        infer("simple", INPUT0, INPUT1, model_version="9"),
        "404",
        "Request for unknown model: 'simple' version 9 is not found",
    ),
    "a batch too large": (
        infer("simple", *simple_inputs(http_client, NINE, NINE)),
        "400",
        "inference request batch-size must be <= 8 for 'simple'",
    ),
    "a wrong shape": (
        infer("simple", *simple_inputs(http_client, WIDE, WIDE)),
        "400",
        "unexpected shape for input 'INPUT0' for model 'simple'. Expected [-1,16], got [1,15].",
    ),
    "a wrong datatype": (
        infer("simple", *simple_inputs(http_client, FLOATS, RIGHT)),
        "400",
        "inference input 'INPUT0' data-type is 'FP32', but model 'simple' expects 'INT32'",
    ),
    "a missing input": (
        infer("simple", INPUT0),
        "400",
        "expected 2 inputs but got 1 inputs for model 'simple'. Got input(s) ['INPUT0'], but missing required"
        " input(s) ['INPUT1']. Please provide all required input(s).",
    ),
    "batches of two sizes": (
        infer("simple", *simple_inputs(http_client, np.zeros((2, 16), np.int32), RIGHT)),
        "400",
        "input 'INPUT1' batch size does not match other inputs for 'simple'",
    ),
    "an input that the model has not": (
        infer("simple", INPUT0, INPUT1, an_input(http_client, "INPUT2", LEFT)),
        "400",
        "INPUT2",
    ),
    "an output that the model has not": (
        infer("simple", INPUT0, INPUT1, outputs=[http_client.InferRequestedOutput("OUTPUT9")]),
        "400",
        "OUTPUT9",
    ),
    "a run that fails": (
        infer("gather", an_input(http_client, "INPUT0", np.array([[8]]))),
        "500",
        "idx=8",
    ),
    "metadata of an unknown model": (
        lambda client: client.get_model_metadata("nobody"),
        "404",
        "Request for unknown model: 'nobody' is not found",
    ),
    "a config of an unknown version": (
        lambda client: client.get_model_config("simple", "7"),
        "404",
        "Request for unknown model: 'simple' version 7 is not found",
    ),
    "loading where nobody may": (
        lambda client: client.load_model("simple"),
        "503",
        "explicit model load / unload is not allowed",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_has_its_status_and_its_words(client: Client, error: str) -> None:
    call, status, words = ERRORS[error]
    with pytest.raises(InferenceServerException) as raised:
        call(client)
    assert words in raised.value.message()
    assert raised.value.status() == status


def test_an_error_of_the_core_names_the_request(client: Client) -> None:
    for request_id, named in [("q 7", "q 7"), ("", "<id_unknown>")]:
        with pytest.raises(InferenceServerException) as raised:
            client.infer("simple", [INPUT0], request_id=request_id)
        assert raised.value.message().startswith(f"[request id: {named}] ")


def post(server: Rankd, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(server.address, timeout=20)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text)


SIMPLE = "/v2/models/simple/infer"
LENGTH = "Inference-Header-Content-Length"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ("100", "inference header size should be in range (0, 2), got: 100"),
        ("-1", "inference header size should be in range (0, 2), got: -1"),
        ("2147483648", "Unable to parse Inference-Header-Content-Length, got: 2147483648"),
        ("abc", "Unable to parse Inference-Header-Content-Length, got: abc"),
    ],
)
def test_a_length_of_json_that_cannot_be_is_refused_and_the_server_lives_on(
    server: Rankd, client: Client, length: str, words: str
) -> None:
    status, body = post(server, SIMPLE, b"{}", {LENGTH: length})
    assert status == 400
    assert words in body["error"]
    assert client.is_server_live()


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        ("{", 400, ""),
        ("[1]", 400, ""),
        ('{"inputs": 1}', 400, ""),
        ('{"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16], "data": []}]}', 500, "Unable to parse 'shape'"),
        (
            '{"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1, 16], "data": [1, 2]}]}',
            500,
            "Failed to parse 'data' field: shape does not match true shape",
        ),
        (
            '{"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1, 16]}]}',
            400,
            "Input must set only one of the following fields",
        ),
        (
            '{"inputs": [{"name": "INPUT0", "datatype": "FP16", "shape": [1], "data": [1]}]}',
            400,
            "receiving FP16 data via JSON is not supported",
        ),
        (
            '{"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [9223372036854775807, 2], "data": [1]}]}',
            400,
            "to exceed maximum size of 9223372036854775807",
        ),
        (
            '{"inputs": [], "parameters": {"triton_x": 1}}',
            400,
            "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.",
        ),
    ],
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused(server: Rankd, document: str, status: int, words: str) -> None:
    answered, body = post(server, SIMPLE, document.encode(), {})
    assert words in body["error"]
    assert answered == status


def test_a_raw_body_is_the_only_input(server: Rankd) -> None:
    """As curl sends a file to a model with one input: no JSON at all."""
    connection = http.client.HTTPConnection(server.address, timeout=20)
    values = np.array([1, -2, 3, 4], np.float32)
    connection.request("POST", "/v2/models/classifier/infer", values.tobytes(), {LENGTH: "0"})
    response = connection.getresponse()
    result = Client.parse_response_body(response.read(), header_length=int(response.headers[LENGTH]))
    connection.close()
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), np.maximum(values, 0)[None])


def test_a_raw_body_for_two_inputs_is_refused(server: Rankd) -> None:
    status, body = post(server, SIMPLE, LEFT.tobytes(), {LENGTH: "0"})
    assert status == 400
    assert "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'simple'" in body["error"]


def test_a_chunked_body_is_read(server: Rankd) -> None:
    tensor = {"datatype": "INT32", "shape": [1, 16], "data": list(range(16))}
    text = json.dumps({"inputs": [{"name": name, **tensor} for name in ("INPUT0", "INPUT1")]}).encode()
    connection = http.client.HTTPConnection(server.address, timeout=20)
    connection.request("POST", SIMPLE, iter([text[:40], text[40:]]), encode_chunked=True)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert answer["outputs"][0]["data"] == [2 * number for number in range(16)]


def test_an_encoding_nobody_knows_is_named_with_those_we_do(server: Rankd) -> None:
    connection = http.client.HTTPConnection(server.address, timeout=20)
    connection.request("POST", SIMPLE, b"{}", {"Content-Encoding": "br"})
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert response.status == 501
    assert response.headers["Accept-Encoding"] == "gzip, deflate"
    assert "error" in body


def test_paths_and_verbs_that_are_not_there(server: Rankd) -> None:
    assert post(server, "/v2/nothing", b"", {})[0] == 404
    assert post(server, "/v2/health/live", b"", {})[0] == 405


def test_an_index_asked_with_a_quarter_of_a_million_brackets_leaves_the_server_alive(
    server: Rankd, client: Client
) -> None:
    deep = b'{"ready":' + b"[" * 250_000 + b"]" * 250_000 + b"}"
    status, body = post(server, "/v2/repository/index", deep, {})
    assert status == 400
    assert "error" in body
    assert client.is_server_live()
