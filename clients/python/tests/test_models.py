"""ONNX models of a Triton repository, asked of a real server: tensors over RPC and over HTTP, and what is told about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from test_tensors import random_array

from rankd_client import Client, RankdError
from rankd_process import TRITON_MODELS, Rankd, rankd

DATATYPES = [
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
]


@pytest.fixture(params=["rpc", "http"])
def client(server: Rankd, request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(server.rpc_url if request.param == "rpc" else server.http_url, deadline_ms=10_000) as made:
        yield made


@pytest.mark.parametrize("datatype", DATATYPES)
def test_tensors_of_every_type_and_shape_come_back_equal(client: Client, datatype: str) -> None:
    random = np.random.default_rng(5)
    for shape in [(1, 1), (2, 3), (3, 0)]:
        array = random_array(datatype, shape, random)
        (back,) = client.infer(f"identity_{datatype.lower()}", {"INPUT0": array}).values()
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)


def test_bf16_is_named_and_comes_as_float32(client: Client) -> None:
    array = np.array([[1.5, -2.0], [np.inf, 0.0]], np.float32)
    answer = client.infer("identity_bf16", {"INPUT0": array}, datatypes={"INPUT0": "BF16"})
    np.testing.assert_array_equal(answer["OUTPUT0"], array)


def test_outputs_are_computed_and_come_as_asked(client: Client) -> None:
    left, right = np.arange(16, dtype=np.int32)[None], np.ones((1, 16), np.int32)
    both = client.infer("simple", {"INPUT0": left, "INPUT1": right})
    np.testing.assert_array_equal(both["OUTPUT0"], left + right)
    np.testing.assert_array_equal(both["OUTPUT1"], left - right)
    assert (both.model, both.version) == ("simple", "1")
    assert list(client.infer("simple", {"INPUT0": left, "INPUT1": right}, outputs=["OUTPUT1"])) == ["OUTPUT1"]


def test_a_version_is_chosen_by_the_target(client: Client) -> None:
    zeros = np.zeros((1, 4), np.float32)
    assert client.infer("two_versions@1", {"INPUT0": zeros})["OUTPUT0"].max() == 1
    assert client.infer("two_versions", {"INPUT0": zeros})["OUTPUT0"].max() == 3
    with pytest.raises(RankdError) as raised:
        client.infer("two_versions@2", {"INPUT0": zeros})
    assert raised.value.code == "UNKNOWN_VERSION"


def test_errors_of_models_carry_code_and_sentence(client: Client) -> None:
    for model, array, code in [
        ("nobody", np.zeros((1, 4), np.float32), "UNKNOWN_MODEL"),
        ("gather", np.array([[8]]), "MODEL_FAILED"),
        ("variable", np.zeros(3, np.float32), "INVALID_ARGUMENT|SHAPE_MISMATCH|INVALID_SHAPE"),
    ]:
        with pytest.raises(RankdError, match=code):
            client.infer(model, {"INPUT0": array})


def test_health_says_what_serves(client: Client) -> None:
    assert client.live()
    assert client.ready()
    assert client.ready("simple")
    assert client.ready("two_versions@3")
    assert not client.ready("two_versions@2")
    assert not client.ready("nobody")


def test_metadata_and_config_tell_about_server_and_models(client: Client) -> None:
    assert {"binary_tensor_data", "statistics"} <= set(client.metadata()["extensions"])
    simple = client.metadata("simple")
    assert simple["inputs"][0] == {"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16]}
    assert client.config("simple")["max_batch_size"] == 8
    assert {model["name"] for model in client.index(ready=True)} >= {"simple", "variable"}


def test_statistics_count_what_was_asked(client: Client) -> None:
    def succeeded() -> int:
        (model,) = client.statistics("variable@1")
        count = model["inference_stats"]["success"]["count"]
        assert isinstance(count, int)
        return count

    before = succeeded()
    for _ in range(3):
        client.infer("variable", {"INPUT0": np.ones((2, 2), np.float32)})
    assert succeeded() == before + 3


def test_a_model_is_unloaded_and_loaded_where_control_is_explicit(tmp_path: Path) -> None:
    copytree(TRITON_MODELS / "simple", tmp_path / "simple")
    flags = ["--model-control-mode", "explicit", "--load-model", "simple"]
    with rankd(tmp_path, *flags) as running, Client(running.http_url) as client:
        client.unload("simple")
        assert not client.ready("simple")
        client.load("simple", config={"max_batch_size": 16})
        assert client.ready("simple")
        assert client.config("simple")["max_batch_size"] == 16
        with pytest.raises(RankdError, match="failed to load 'nobody'"):
            client.load("nobody")
