"""Inputs of the fixtures' models for either flavour of tritonclient: `tritonclient.http` or `tritonclient.grpc`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
from tritonclient.utils import np_to_triton_dtype

LEFT = np.arange(16, dtype=np.int32).reshape(1, 16)
RIGHT = np.ones((1, 16), np.int32)

#: numpy's types by the datatype that tritonclient gives them; BYTES are objects.
DTYPES = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BF16": ml_dtypes.bfloat16,
}
#: Those that the protocol has in JSON.
JSON_DATATYPES = [name for name in DTYPES if name not in ("FP16", "BF16")]
STATISTICS = {
    "success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"
}  # fmt: skip


def an_input(client: ModuleType, name: str, array: np.ndarray, **how: bool) -> Any:  # noqa: ANN401
    """how: binary_data=False for JSON, which `tritonclient.http` alone has."""
    made = client.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array, **how)
    return made


def simple_inputs(client: ModuleType, left: np.ndarray = LEFT, right: np.ndarray = RIGHT, **how: bool) -> list[Any]:
    return [an_input(client, "INPUT0", left, **how), an_input(client, "INPUT1", right, **how)]


def check_simple(result: Any, left: np.ndarray = LEFT, right: np.ndarray = RIGHT) -> None:  # noqa: ANN401
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), left + right)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), left - right)


def texts(*elements: bytes) -> np.ndarray:
    """[1, n] BYTES."""
    array = np.empty((1, len(elements)), object)
    array[0, :] = elements
    return array


def random_array(datatype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Any bits of the type: NaNs, infinities and subnormals among the floats, integers beyond 2^53."""
    random = np.random.default_rng(17)
    if datatype == "BOOL":
        return random.random(shape) < 0.5
    dtype = np.dtype(DTYPES[datatype])
    return np.frombuffer(random.bytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)
