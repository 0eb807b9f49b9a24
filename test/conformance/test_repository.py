"""Index, load and unload through `tritonclient.http` and `tritonclient.grpc`, which say the same of one server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

from rankd_process import TRITON_MODELS, Rankd
from requests_of import an_input, check_simple, simple_inputs

ROW = np.array([[1, -2, 3, 0.5]], np.float32)


@pytest.fixture(params=["http", "grpc"])
def client(explicit_server: Rankd, request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "http":
        with http.InferenceServerClient(explicit_server.address) as made:
            yield made
    else:
        with grpc.InferenceServerClient(explicit_server.grpc_address) as made:
            yield made


def flavour(client: Any) -> Any:  # noqa: ANN401
    return http if isinstance(client, http.InferenceServerClient) else grpc


def index(client: Any) -> dict[tuple[str, str], tuple[str, str]]:  # noqa: ANN401
    """(name, version) to (state, reason)."""
    if flavour(client) is http:
        models = client.get_model_repository_index()
    else:
        models = client.get_model_repository_index(as_json=True)["models"]
    return {(each["name"], each.get("version", "")): (each.get("state", ""), each.get("reason", "")) for each in models}


def config(client: Any, model: str) -> dict[str, Any]:  # noqa: ANN401
    return (
        client.get_model_config(model)
        if flavour(client) is http
        else client.get_model_config(model, as_json=True)["config"]
    )


def test_a_model_that_was_never_loaded_has_a_name_alone(client: Any) -> None:  # noqa: ANN401
    assert index(client) == {
        ("simple", "1"): ("READY", ""),
        ("two_versions", "1"): ("READY", ""),
        ("two_versions", "3"): ("READY", ""),
        ("variable", ""): ("", ""),
    }


def test_unload_and_load(client: Any) -> None:  # noqa: ANN401
    client.unload_model("simple")
    assert not client.is_model_ready("simple")
    assert index(client)["simple", "1"] == ("UNAVAILABLE", "unloaded")
    with pytest.raises(InferenceServerException, match="simple"):
        client.infer("simple", simple_inputs(flavour(client)))
    client.load_model("simple")
    assert client.is_model_ready("simple")
    check_simple(client.infer("simple", simple_inputs(flavour(client))))


def test_load_again_keeps_what_serves(client: Any) -> None:  # noqa: ANN401
    client.load_model("simple")
    check_simple(client.infer("simple", simple_inputs(flavour(client))))


def test_load_of_a_model_that_is_not_there(client: Any) -> None:  # noqa: ANN401
    with pytest.raises(InferenceServerException, match="failed to load 'nobody', failed to poll from model repository"):
        client.load_model("nobody")


def test_a_config_goes_before_the_file_and_text_may_be_a_number(client: Any) -> None:  # noqa: ANN401
    client.load_model("simple", config=json.dumps({"max_batch_size": "16"}))
    assert int(config(client, "simple")["max_batch_size"]) == 16
    left = np.arange(16 * 16, dtype=np.int32).reshape(16, 16)
    check_simple(client.infer("simple", simple_inputs(flavour(client), left, left)), left, left)
    client.load_model("simple")
    assert int(config(client, "simple")["max_batch_size"]) == 8


def test_files_go_before_the_repository(client: Any) -> None:  # noqa: ANN401
    plus_two = (TRITON_MODELS / "two_versions" / "2" / "model.onnx").read_bytes()
    override = json.dumps({"backend": "onnxruntime", "version_policy": {"specific": {"versions": [7]}}})
    client.load_model("two_versions", config=override, files={"file:7/model.onnx": plus_two})
    result = client.infer("two_versions", [an_input(flavour(client), "INPUT0", ROW)])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 2)
    assert index(client)["two_versions", "7"] == ("READY", "")


def test_a_file_needs_a_config(client: Any) -> None:  # noqa: ANN401
    with pytest.raises(InferenceServerException, match="config"):
        client.load_model("simple", files={"file:1/model.onnx": b"x"})


def test_a_load_that_fails_keeps_the_old_version(client: Any) -> None:  # noqa: ANN401
    with pytest.raises(InferenceServerException):
        client.load_model("simple", config="{}", files={"file:1/model.onnx": b"no model"})
    check_simple(client.infer("simple", simple_inputs(flavour(client))))
