"""`tritonclient.grpc` before rankd: everything that it asks of a Triton server."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

from rankd_process import Rankd
from requests_of import DTYPES, LEFT, RIGHT, STATISTICS, an_input, check_simple, random_array, simple_inputs, texts

ROW = np.array([[1, -2, 3, 0.5]], np.float32)

#: Seconds after which an answer that does not come fails its test.
PATIENCE = 20


@pytest.fixture
def client(server: Rankd) -> Iterator[grpc.InferenceServerClient]:
    with grpc.InferenceServerClient(server.grpc_address) as made:
        yield made


def test_health(client: grpc.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("simple")
    assert client.is_model_ready("simple", "1")
    assert not client.is_model_ready("two_versions", "2")
    assert not client.is_model_ready("nobody")


def test_metadata(client: grpc.InferenceServerClient) -> None:
    assert client.get_server_metadata().name == "triton"
    assert "statistics" in client.get_server_metadata(as_json=True)["extensions"]
    simple = client.get_model_metadata("simple")
    assert (simple.name, list(simple.versions), simple.platform) == ("simple", ["1"], "onnxruntime_onnx")
    described = [(each.name, each.datatype, list(each.shape)) for each in simple.inputs]
    assert described == [("INPUT0", "INT32", [-1, 16]), ("INPUT1", "INT32", [-1, 16])]


def test_config(client: grpc.InferenceServerClient) -> None:
    config = client.get_model_config("simple").config
    assert (config.name, config.max_batch_size) == ("simple", 8)
    assert [list(each.dims) for each in config.input] == [[16], [16]]
    assert config.HasField("dynamic_batching")


def test_statistics(client: grpc.InferenceServerClient) -> None:
    def counts() -> dict[str, int]:
        (model,) = client.get_inference_statistics("classifier").model_stats
        return {name: getattr(model.inference_stats, name).count for name in STATISTICS}

    before = counts()
    for _ in range(3):
        client.infer("classifier", [an_input(grpc, "INPUT0", ROW)])
    after = counts()
    for name in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        assert after[name] == before[name] + 3
    assert len(client.get_inference_statistics().model_stats) > 1


def test_index(client: grpc.InferenceServerClient) -> None:
    index = [(each.name, each.version, each.state) for each in client.get_model_repository_index().models]
    assert {("simple", "1", "READY"), ("two_versions", "1", "READY"), ("two_versions", "3", "READY")} <= set(index)


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_infer_however_compressed(client: grpc.InferenceServerClient, compression: str | None) -> None:
    outputs = [grpc.InferRequestedOutput(name) for name in ("OUTPUT0", "OUTPUT1")]
    result = client.infer("simple", simple_inputs(grpc), outputs=outputs, compression_algorithm=compression)
    check_simple(result)
    assert (result.get_response().model_name, result.get_response().model_version) == ("simple", "1")


def test_infer_on_a_batch_a_version_and_with_an_id(client: grpc.InferenceServerClient) -> None:
    left = np.arange(8 * 16, dtype=np.int32).reshape(8, 16)
    check_simple(client.infer("simple", simple_inputs(grpc, left, left), request_id="r1"), left, left)
    result = client.infer("two_versions", [an_input(grpc, "INPUT0", ROW)], model_version="1", request_id="r2")
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)
    assert result.get_response().id == "r2"


@pytest.mark.parametrize("datatype", DTYPES)
def test_identities_of_every_type(client: grpc.InferenceServerClient, datatype: str) -> None:
    for shape in [(1, 5), (4, 3), (2, 0)]:
        array = random_array(datatype, shape)
        back = client.infer(f"identity_{datatype.lower()}", [an_input(grpc, "INPUT0", array)]).as_numpy("OUTPUT0")
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.tobytes() == array.tobytes()


def test_bytes(client: grpc.InferenceServerClient) -> None:
    array = texts(b"", bytes(range(256)), "grüße".encode(), b"x" * 70_000)
    back = client.infer("simple_identity", [an_input(grpc, "INPUT0", array)]).as_numpy("OUTPUT0")
    assert list(back.ravel()) == list(array.ravel())


def test_classification(client: grpc.InferenceServerClient) -> None:
    output = grpc.InferRequestedOutput("OUTPUT0", class_count=2)
    found = client.infer("classifier", [an_input(grpc, "INPUT0", ROW)], outputs=[output]).as_numpy("OUTPUT0")
    classes = [text.decode().split(":") for text in found.ravel()]
    assert [(float(value), int(at), label) for value, at, label in classes] == [(3, 2, "bird"), (1, 0, "cat")]


def test_parameters_priority_timeout_and_headers(client: grpc.InferenceServerClient) -> None:
    options = {"priority": 1, "timeout": 5_000_000, "headers": {"x-custom": "1"}, "client_timeout": PATIENCE}
    result = client.infer("simple", simple_inputs(grpc), parameters={"user_id": "u1", "explain": True}, **options)
    check_simple(result)


def test_many_requests_at_once(client: grpc.InferenceServerClient) -> None:
    answers: queue.Queue[tuple[int, Any, Any]] = queue.Queue()

    def into_queue(at: int) -> Any:  # noqa: ANN401
        return lambda result, error: answers.put((at, result, error))

    lefts = [np.full((1, 16), at, np.int32) for at in range(40)]
    for at, left in enumerate(lefts):
        client.async_infer("simple", simple_inputs(grpc, left), callback=into_queue(at))
    for _ in lefts:
        at, result, error = answers.get(timeout=PATIENCE)
        assert error is None
        check_simple(result, lefts[at])


def test_a_stream_answers_each_request(client: grpc.InferenceServerClient) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    for at in range(20):
        client.async_stream_infer("simple", simple_inputs(grpc, np.full((1, 16), at, np.int32)), request_id=str(at))
    seen = set()
    for _ in range(20):
        result, error = answers.get(timeout=PATIENCE)
        assert error is None
        at = int(result.get_response().id)
        check_simple(result, np.full((1, 16), at, np.int32))
        seen.add(at)
    assert seen == set(range(20))
    client.stop_stream()


def test_an_error_in_a_stream_does_not_end_it(client: grpc.InferenceServerClient) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    client.async_stream_infer("nobody", simple_inputs(grpc))
    _, error = answers.get(timeout=PATIENCE)
    assert "Request for unknown model: 'nobody' is not found" in error.message()
    client.async_stream_infer("simple", simple_inputs(grpc))
    result, error = answers.get(timeout=PATIENCE)
    assert error is None
    check_simple(result)
    client.stop_stream()


WIDE = np.zeros((1, 15), np.int32)
NINE = np.zeros((9, 16), np.int32)


@pytest.mark.parametrize(
    ("model", "version", "inputs", "status", "words"),
    [
        ("nobody", "", [], "NOT_FOUND", "Request for unknown model: 'nobody' is not found"),
        ("simple", "9", [], "NOT_FOUND", "Request for unknown model: 'simple' version 9 is not found"),
        ("simple", "", [an_input(grpc, "INPUT0", LEFT)], "INVALID_ARGUMENT", "expected 2 inputs but got 1 inputs"),
        ("simple", "", simple_inputs(grpc, NINE, NINE), "INVALID_ARGUMENT", "batch-size must be <= 8 for 'simple'"),
        ("simple", "", simple_inputs(grpc, WIDE, WIDE), "INVALID_ARGUMENT", "Expected [-1,16], got [1,15]"),
        (
            "simple",
            "",
            simple_inputs(grpc, LEFT.astype(np.float32), RIGHT),
            "INVALID_ARGUMENT",
            "inference input 'INPUT0' data-type is 'FP32', but model 'simple' expects 'INT32'",
        ),
        ("gather", "", [an_input(grpc, "INPUT0", np.array([[8]]))], "INTERNAL", "idx=8"),
    ],
)
def test_an_error_has_its_status_and_its_words(
    client: grpc.InferenceServerClient, model: str, version: str, inputs: list[Any], status: str, words: str
) -> None:
    with pytest.raises(InferenceServerException) as raised:
        client.infer(model, inputs, model_version=version)
    assert words in raised.value.message()
    assert raised.value.status() == f"StatusCode.{status}"


def test_a_deadline_that_passes_is_told(client: grpc.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException) as raised:
        client.infer("slow", [an_input(grpc, "INPUT0", np.repeat(ROW, 8, 0))], client_timeout=0.001)
    assert raised.value.status() == "StatusCode.DEADLINE_EXCEEDED"


def test_settings_of_logs_and_traces(client: grpc.InferenceServerClient) -> None:
    assert client.get_log_settings().settings["log_verbose_level"].uint32_param == 0
    assert client.update_log_settings({"log_verbose_level": 1}).settings["log_verbose_level"].uint32_param == 1
    assert client.update_log_settings({"log_verbose_level": 0}).settings["log_verbose_level"].uint32_param == 0
    assert list(client.get_trace_settings().settings["trace_level"].value) == ["OFF"]
