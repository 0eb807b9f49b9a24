"""`tritonclient.http` before rankd: everything that it asks of a Triton server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

from rankd_process import Rankd
from requests_of import (
    DTYPES,
    JSON_DATATYPES,
    LEFT,
    RIGHT,
    STATISTICS,
    an_input,
    check_simple,
    random_array,
    simple_inputs,
    texts,
)

ROW = np.array([[1, -2, 3, 0.5]], np.float32)


@pytest.fixture
def client(server: Rankd) -> Iterator[http.InferenceServerClient]:
    with http.InferenceServerClient(server.address, concurrency=4) as made:
        yield made


def refused(call: Any, *args: Any, **options: Any) -> tuple[str | None, str]:  # noqa: ANN401
    """The status and the words of a call that fails."""
    with pytest.raises(InferenceServerException) as raised:
        call(*args, **options)
    return raised.value.status(), raised.value.message()


def test_health(client: http.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("simple")
    assert client.is_model_ready("simple", "1")
    assert not client.is_model_ready("two_versions", "2")
    assert not client.is_model_ready("nobody")


def test_server_metadata(client: http.InferenceServerClient) -> None:
    metadata = client.get_server_metadata()
    assert metadata["name"] == "triton"
    assert metadata["version"]
    assert {"classification", "model_repository", "binary_tensor_data", "statistics"} <= set(metadata["extensions"])


def test_metadata_of_a_batching_model(client: http.InferenceServerClient) -> None:
    assert client.get_model_metadata("simple") == {
        "name": "simple",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": name, "datatype": "INT32", "shape": [-1, 16]} for name in ("INPUT0", "INPUT1")],
        "outputs": [{"name": name, "datatype": "INT32", "shape": [-1, 16]} for name in ("OUTPUT0", "OUTPUT1")],
    }


def test_metadata_of_models_without_a_batch(client: http.InferenceServerClient) -> None:
    assert client.get_model_metadata("variable")["inputs"][0]["shape"] == [-1, -1]
    assert client.get_model_metadata("no_batch")["inputs"][0]["shape"] == [4]


def test_metadata_of_versions(client: http.InferenceServerClient) -> None:
    assert client.get_model_metadata("two_versions")["versions"] == ["1", "3"]
    assert client.get_model_metadata("two_versions", "3")["versions"] == ["3"]


def test_config(client: http.InferenceServerClient) -> None:
    config = client.get_model_config("simple")
    assert (config["name"], config["platform"], config["max_batch_size"]) == ("simple", "onnxruntime_onnx", 8)
    assert config["input"][0]["data_type"] == "TYPE_INT32"
    assert config["input"][0]["dims"] == [16]
    assert "dynamic_batching" in config


def test_config_that_was_derived_from_the_graph(client: http.InferenceServerClient) -> None:
    config = client.get_model_config("identity_fp32")
    assert config["max_batch_size"] == 4
    assert (config["input"][0]["data_type"], config["input"][0]["dims"]) == ("TYPE_FP32", [-1])
    assert client.get_model_config("no_batch")["max_batch_size"] == 0
    assert client.get_model_config("mean_over_batch")["max_batch_size"] == 0


def test_statistics(client: http.InferenceServerClient) -> None:
    def statistics() -> dict[str, Any]:
        (model,) = client.get_inference_statistics("classifier")["model_stats"]
        return model

    before = statistics()
    for _ in range(3):
        client.infer("classifier", [an_input(http, "INPUT0", ROW)])
    after = statistics()
    assert set(after["inference_stats"]) == STATISTICS
    assert after["inference_count"] == before["inference_count"] + 3
    for name in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        assert after["inference_stats"][name]["count"] == before["inference_stats"][name]["count"] + 3
    names = {model["name"] for model in client.get_inference_statistics()["model_stats"]}
    assert {"simple", "classifier"} <= names


def test_statistics_of_an_unknown_model(client: http.InferenceServerClient) -> None:
    status, words = refused(client.get_inference_statistics, "nobody")
    assert status == "400"
    assert words.startswith("requested model 'nobody' is not available")


def test_index(client: http.InferenceServerClient) -> None:
    index = client.get_model_repository_index()
    assert {"name": "simple", "version": "1", "state": "READY"}.items() <= next(
        each for each in index if each["name"] == "simple"
    ).items()
    assert [each["version"] for each in index if each["name"] == "two_versions"] == ["1", "3"]
    assert {each["name"] for each in index} >= {f"identity_{name.lower()}" for name in DTYPES}


@pytest.mark.parametrize("answer", [None, "gzip", "deflate"])
@pytest.mark.parametrize("request_", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_infer_binary_and_json_however_compressed(
    client: http.InferenceServerClient, binary: bool, request_: str | None, answer: str | None
) -> None:
    outputs = [http.InferRequestedOutput(name, binary_data=binary) for name in ("OUTPUT0", "OUTPUT1")]
    result = client.infer(
        "simple",
        simple_inputs(http, binary_data=binary),
        outputs=outputs,
        request_compression_algorithm=request_,
        response_compression_algorithm=answer,
    )
    check_simple(result)
    assert result.get_response()["model_name"] == "simple"
    assert result.get_response()["model_version"] == "1"


def test_infer_with_one_input_binary_and_the_other_json(client: http.InferenceServerClient) -> None:
    inputs = [an_input(http, "INPUT0", LEFT, binary_data=True), an_input(http, "INPUT1", RIGHT, binary_data=False)]
    outputs = [http.InferRequestedOutput("OUTPUT0", binary_data=False), http.InferRequestedOutput("OUTPUT1")]
    check_simple(client.infer("simple", inputs, outputs=outputs))


def test_infer_without_outputs_gives_all(client: http.InferenceServerClient) -> None:
    check_simple(client.infer("simple", simple_inputs(http)))


def test_infer_gives_the_outputs_asked_for(client: http.InferenceServerClient) -> None:
    result = client.infer("simple", simple_inputs(http), outputs=[http.InferRequestedOutput("OUTPUT1")])
    assert result.as_numpy("OUTPUT0") is None
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), LEFT - RIGHT)


def test_infer_on_a_batch(client: http.InferenceServerClient) -> None:
    left = np.arange(8 * 16, dtype=np.int32).reshape(8, 16)
    check_simple(client.infer("simple", simple_inputs(http, left, left[::-1])), left, left[::-1])


def test_infer_on_a_version(client: http.InferenceServerClient) -> None:
    for version, added in [("1", 1), ("3", 3), ("", 3)]:
        result = client.infer("two_versions", [an_input(http, "INPUT0", ROW)], model_version=version)
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + added)
        assert result.get_response()["model_version"] == (version or "3")


def test_the_request_id_comes_back(client: http.InferenceServerClient) -> None:
    assert client.infer("simple", simple_inputs(http), request_id="a 1").get_response()["id"] == "a 1"
    assert "id" not in client.infer("simple", simple_inputs(http)).get_response()


SHAPES = [(1, 5), (4, 3), (2, 0)]


def echo(client: http.InferenceServerClient, datatype: str, array: np.ndarray, *, binary: bool) -> np.ndarray:
    outputs = [http.InferRequestedOutput("OUTPUT0", binary_data=binary)]
    inputs = [an_input(http, "INPUT0", array, binary_data=binary)]
    back = client.infer(f"identity_{datatype.lower()}", inputs, outputs=outputs).as_numpy("OUTPUT0")
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    return back


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("datatype", DTYPES)
def test_every_bit_of_every_type_survives_in_binary(
    client: http.InferenceServerClient, datatype: str, shape: tuple[int, int]
) -> None:
    array = random_array(datatype, shape)
    assert echo(client, datatype, array, binary=True).tobytes() == array.tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("datatype", JSON_DATATYPES)
def test_every_value_of_every_type_survives_in_json(
    client: http.InferenceServerClient, datatype: str, shape: tuple[int, int]
) -> None:
    array = random_array(datatype, shape)
    np.testing.assert_array_equal(echo(client, datatype, array, binary=False), array)


def test_what_is_no_number_survives_in_json(client: http.InferenceServerClient) -> None:
    array = np.array([[np.nan, np.inf, -np.inf, -0.0]])
    for datatype, dtype in [("FP32", np.float32), ("FP64", np.float64)]:
        back = echo(client, datatype, array.astype(dtype), binary=False)
        np.testing.assert_array_equal(back, array.astype(dtype))


@pytest.mark.parametrize("binary", [True, False])
def test_bytes(client: http.InferenceServerClient, binary: bool) -> None:
    array = texts(b"", b"plain", "grüße".encode(), b'"quoted"\n\\', b"x" * 70_000)
    outputs = [http.InferRequestedOutput("OUTPUT0", binary_data=binary)]
    result = client.infer("simple_identity", [an_input(http, "INPUT0", array, binary_data=binary)], outputs=outputs)
    back = result.as_numpy("OUTPUT0")
    assert [_bytes(element) for element in back.ravel()] == list(array.ravel())


def _bytes(element: bytes | str) -> bytes:
    return element if isinstance(element, bytes) else element.encode()


def test_bytes_that_are_no_text(client: http.InferenceServerClient) -> None:
    array = texts(bytes(range(256)), b"\x00\x00", b"\xff\xfe")
    result = client.infer("identity_bytes", [an_input(http, "INPUT0", array)])
    assert list(result.as_numpy("OUTPUT0").ravel()) == list(array.ravel())


def test_numbers_in_text(client: http.InferenceServerClient) -> None:
    left = texts(*(str(number).encode() for number in range(16)))
    right = texts(*[b"1"] * 16)
    result = client.infer("simple_string", simple_inputs(http, left, right))
    assert [int(text) for text in result.as_numpy("OUTPUT0").ravel()] == [number + 1 for number in range(16)]
    assert [int(text) for text in result.as_numpy("OUTPUT1").ravel()] == [number - 1 for number in range(16)]


def test_variable_dimensions(client: http.InferenceServerClient) -> None:
    for shape in [(1, 1), (3, 7), (5, 0)]:
        array = np.ones(shape, np.float32)
        result = client.infer("variable", [an_input(http, "INPUT0", array)])
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), array * 2)


def test_many_requests_at_once(client: http.InferenceServerClient) -> None:
    lefts = [np.full((1, 16), at, np.int32) for at in range(40)]
    waiting = [client.async_infer("simple", simple_inputs(http, left)) for left in lefts]
    for left, request in zip(lefts, waiting, strict=True):
        check_simple(request.get_result(), left)


@pytest.mark.parametrize("binary", [True, False])
def test_classification(client: http.InferenceServerClient, binary: bool) -> None:
    output = http.InferRequestedOutput("OUTPUT0", class_count=2, binary_data=binary)
    result = client.infer("classifier", [an_input(http, "INPUT0", np.vstack([ROW, -ROW]))], outputs=[output])
    found = result.as_numpy("OUTPUT0")
    assert found.shape == (2, 2)
    classes = [[_bytes(text).decode().split(":") for text in row] for row in found]
    assert [[(float(value), int(at), label) for value, at, label in row] for row in classes] == [
        [(3, 2, "bird"), (1, 0, "cat")],
        [(2, 1, "dog"), (0, 0, "cat")],
    ]


def test_parameters_priority_and_timeout(client: http.InferenceServerClient) -> None:
    options = {
        "priority": 1,
        "timeout": 5_000_000,
        "parameters": {"user_id": "u1", "share": 0.5, "explain": True, "at": 7},
    }
    check_simple(client.infer("simple", simple_inputs(http), **options))


def test_query_parameters_and_headers_are_taken(client: http.InferenceServerClient) -> None:
    query = {"test_1": 1, "test_2": 2}
    check_simple(client.infer("simple", simple_inputs(http), query_params=query, headers={"x-custom": "1"}))
    assert client.is_server_live(query_params=query)


def test_a_body_made_beforehand_and_an_answer_read_afterwards(client: http.InferenceServerClient) -> None:
    body, length = client.generate_request_body(simple_inputs(http))
    answer = client._post("v2/models/simple/infer", body, {"Inference-Header-Content-Length": length}, None)
    header = answer.get("Inference-Header-Content-Length")
    check_simple(http.InferenceServerClient.parse_response_body(answer.read(), header_length=int(header)))


def test_logging(client: http.InferenceServerClient) -> None:
    before = client.get_log_settings()
    assert {"log_file", "log_info", "log_warning", "log_error", "log_verbose_level", "log_format"} <= set(before)
    assert client.update_log_settings({"log_verbose_level": 1})["log_verbose_level"] == 1
    assert client.update_log_settings({"log_verbose_level": 0})["log_verbose_level"] == 0
    status, words = refused(client.update_log_settings, {"log_file": "elsewhere.txt"})
    assert (status, words) == ("501", "log file location can not be updated through network protocol")


def test_trace_settings(client: http.InferenceServerClient) -> None:
    assert client.get_trace_settings()["trace_level"] == ["OFF"]
    assert client.get_trace_settings("simple")["trace_rate"] == "1000"


def test_the_cache_answers_what_it_has_answered(client: http.InferenceServerClient) -> None:
    def hits() -> int:
        (model,) = client.get_inference_statistics("cached")["model_stats"]
        return model["inference_stats"]["cache_hit"]["count"]

    before = hits()
    row = np.full((1, 4), 0.25, np.float32)
    first, second = (client.infer("cached", [an_input(http, "INPUT0", row)]) for _ in range(2))
    np.testing.assert_array_equal(first.as_numpy("NONCE"), second.as_numpy("NONCE"))
    assert hits() == before + 1
