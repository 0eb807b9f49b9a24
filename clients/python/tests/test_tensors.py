"""Arrays become tensors and come back equal, of every datatype, over both forms of an Open Inference Protocol body."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rankd_client.errors import RankdError
from rankd_client.oip import InferRequest, decode_infer, encode_infer, model_path
from rankd_client.tensors import DTYPES, datatype_of, from_bytes, from_list, to_bytes

SHAPES = [(), (1,), (0,), (3, 5), (2, 0, 4), (2, 3, 4)]


def random_array(datatype: str, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[Any]:
    """Any bits of the type: NaNs, infinities and subnormals among them."""
    if datatype == "BYTES":
        array = np.empty(shape, object)
        for at in np.ndindex(shape):
            array[at] = random.bytes(int(random.integers(0, 20)))
        return array
    if datatype == "BOOL":
        return np.asarray(random.random(shape) < 0.5)
    dtype = DTYPES[datatype]
    count = int(np.prod(shape))
    return np.frombuffer(random.bytes(count * dtype.itemsize), dtype).reshape(shape).copy()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("datatype", [name for name in DTYPES if name != "BF16"])
def test_an_array_comes_back_equal_from_its_bytes(datatype: str, shape: tuple[int, ...]) -> None:
    array = random_array(datatype, shape, np.random.default_rng(1))
    assert datatype_of(array) == datatype
    back = from_bytes(to_bytes(array, datatype), datatype, shape)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


def test_every_bit_pattern_of_bf16_survives_as_float32() -> None:
    bits = np.arange(65536, dtype="<u2")
    wide = from_bytes(bits.tobytes(), "BF16", bits.shape)
    back = np.frombuffer(to_bytes(wide, "BF16"), "<u2")
    is_nan = np.isnan(wide)
    np.testing.assert_array_equal(back[~is_nan], bits[~is_nan])
    assert np.isnan(from_bytes(back[is_nan].tobytes(), "BF16", (int(is_nan.sum()),))).all()


def test_floats_are_rounded_to_the_nearest_bf16_and_ties_to_even() -> None:
    between = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, 3.4e38], np.float32)
    rounded = from_bytes(to_bytes(between, "BF16"), "BF16", between.shape)
    np.testing.assert_array_equal(rounded, np.array([1, 1 + 2**-6, 1 + 2**-7, np.inf], np.float32))


def test_text_goes_as_utf_8_and_comes_as_bytes() -> None:
    data = to_bytes(np.array(["ü", ""]), "BYTES")
    assert data == b"\x02\x00\x00\x00\xc3\xbc\x00\x00\x00\x00"
    assert from_bytes(data, "BYTES", (2,)).tolist() == ["ü".encode(), b""]


def test_strided_and_big_endian_arrays_leave_in_order() -> None:
    array = np.arange(12, dtype=">i4").reshape(3, 4).T[::2]
    np.testing.assert_array_equal(from_bytes(to_bytes(array, "INT32"), "INT32", array.shape), array)


@pytest.mark.parametrize(
    ("array", "datatype", "words"),
    [
        (np.array([1.5]), "INT32", "does not fit INT32 without loss"),
        (np.array([2**40]), "INT32", "does not fit INT32 without loss"),
        (np.array([1], object), "BYTES", "must be text or bytes, got int"),
        (np.array([1], "f4"), "FP8", "datatype must be one of BOOL"),
    ],
)
def test_what_a_datatype_cannot_hold_is_refused(array: NDArray[Any], datatype: str, words: str) -> None:
    with pytest.raises(RankdError, match=words):
        to_bytes(array, datatype)


def test_an_array_of_complex_numbers_has_no_datatype() -> None:
    with pytest.raises(RankdError, match="an array of complex128 has no datatype"):
        datatype_of(np.array([1j]))


def test_bytes_that_end_too_early_are_refused() -> None:
    for data in (b"\x05\x00\x00\x00ab", b"\x05\x00"):
        with pytest.raises(ValueError, match="ends behind its tensor"):
            from_bytes(data, "BYTES", (1,))


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name not in ("BF16", "BYTES", "FP16")])
def test_a_tensor_that_came_as_json_reads_the_same(datatype: str) -> None:
    array = np.nan_to_num(random_array(datatype, (2, 3), np.random.default_rng(2)))
    back = from_list(json.loads(json.dumps(array.ravel().tolist())), datatype, (2, 3))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_an_infer_body_is_json_and_then_the_tensors_in_order() -> None:
    inputs = {"a": np.array([[1, 2]], np.int32), "b": np.array([b"xy"], object)}
    body, length = encode_infer(InferRequest("m", inputs, outputs=["y"], priority=2))
    document = json.loads(body[:length])
    assert document["inputs"] == [
        {"name": "a", "datatype": "INT32", "shape": [1, 2], "parameters": {"binary_data_size": 8}},
        {"name": "b", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}},
    ]
    assert document["outputs"] == [{"name": "y", "parameters": {"binary_data": True}}]
    assert document["parameters"] == {"binary_data_output": True, "priority": 2}
    assert body[length:] == b"\x01\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00xy"


def answer(*outputs: dict[str, Any]) -> bytes:
    return json.dumps({"model_name": "m", "model_version": "3", "id": "q", "outputs": list(outputs)}).encode()


def test_an_answer_may_mix_binary_json_and_empty_outputs() -> None:
    text = answer(
        {"name": "a", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
        {"name": "b", "datatype": "INT64", "shape": [1, 2], "data": [2**62 + 1, -1]},
        {"name": "c", "datatype": "FP32", "shape": [0, 3], "parameters": {"binary_data_size": 0}},
    )
    tensors = decode_infer(text + np.array([1, 2], "<f4").tobytes(), str(len(text)))
    assert (tensors.model, tensors.version, tensors.request_id) == ("m", "3", "q")
    assert {name: array.tolist() for name, array in tensors.items()} == {"a": [1, 2], "b": [[2**62 + 1, -1]], "c": []}
    assert repr(tensors) == "<Tensors of m@3: a: float32[2], b: int64[1, 2], c: float32[0, 3]>"


def test_an_answer_without_binary_outputs_is_json_alone() -> None:
    tensors = decode_infer(answer({"name": "t", "datatype": "BYTES", "shape": [2], "data": ["1:0:cat", "0:1"]}), None)
    assert tensors["t"].tolist() == [b"1:0:cat", b"0:1"]


@pytest.mark.parametrize(("size", "rest"), [(12, b"1234"), (-1, b""), (4, b"12345678")])
def test_an_answer_whose_sizes_are_wrong_is_refused(size: int, rest: bytes) -> None:
    text = answer({"name": "a", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": size}})
    with pytest.raises(ValueError, match="bytes"):
        decode_infer(text + rest, str(len(text)))


def test_a_target_becomes_the_path_of_a_model_or_of_its_version() -> None:
    assert model_path("m") == "/v2/models/m"
    assert model_path("a b/c@3") == "/v2/models/a%20b%2Fc/versions/3"
