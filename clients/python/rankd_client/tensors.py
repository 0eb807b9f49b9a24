"""numpy arrays as the tensors of the Open Inference Protocol: datatypes and bytes, both ways."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import RankdError

#: How numpy holds each datatype, little-endian as the wire is. BF16 has no numpy type and travels as its 16 bits.
DTYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype("O"),
}
_NATURAL = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}


def datatype_of(array: NDArray[Any]) -> str:
    """The datatype that an array has by itself: text and objects are BYTES, ml_dtypes.bfloat16 is BF16."""
    if array.dtype.kind in "OSUT":
        return "BYTES"
    if array.dtype.name == "bfloat16":
        return "BF16"
    found = _NATURAL.get(array.dtype.newbyteorder("<"))
    if found is None:
        raise RankdError(
            "INVALID_ARGUMENT", f"an array of {array.dtype} has no datatype; convert it, for example .astype('f4')"
        )
    return found


def to_bytes(array: NDArray[Any], datatype: str) -> bytes:
    """An array's elements as its tensor's bytes. Raises INVALID_ARGUMENT for values that the datatype cannot hold exactly,
    but for FP16 and BF16, to which floats are rounded (to nearest, ties to even)."""
    if datatype == "BYTES":
        return _bytes_elements(array)
    if datatype == "BF16":
        return _to_bf16(array).tobytes()
    wanted = _dtype(datatype)
    if not np.can_cast(array.dtype, wanted, "safe") and not (datatype == "FP16" and array.dtype.kind == "f"):
        raise RankdError(
            "INVALID_ARGUMENT", f"an array of {array.dtype} does not fit {datatype} without loss; convert it yourself"
        )
    return array.astype(wanted, order="C", copy=False).tobytes()


def from_bytes(data: bytes | memoryview, datatype: str, shape: Sequence[int]) -> NDArray[Any]:
    """A tensor as an array of its own: BYTES as objects (bytes), BF16 widened to float32."""
    if datatype == "BYTES":
        return _elements_of(data).reshape(shape)
    flat = np.frombuffer(data, _dtype(datatype))
    if datatype == "BF16":
        return (flat.astype("<u4") << 16).view("<f4").reshape(shape)
    return flat.reshape(shape).copy()


def from_list(data: Sequence[Any], datatype: str, shape: Sequence[int]) -> NDArray[Any]:
    """A tensor that came as JSON: BYTES as objects (bytes), null as NaN."""
    if datatype == "BYTES":
        return _objects([_as_bytes(element) for element in data]).reshape(shape)
    dtype = np.dtype("<f4") if datatype == "BF16" else _dtype(datatype)
    values = [np.nan if element is None else element for element in data] if dtype.kind == "f" else data
    return np.array(values, dtype).reshape(shape)


def _dtype(datatype: str) -> np.dtype[Any]:
    if datatype not in DTYPES:
        raise RankdError("INVALID_ARGUMENT", f"datatype must be one of {', '.join(DTYPES)}, got {datatype!r}")
    return DTYPES[datatype]


def _to_bf16(array: NDArray[Any]) -> NDArray[np.uint16]:
    if array.dtype.name == "bfloat16":
        return np.ascontiguousarray(array).view("<u2")
    bits = array.astype("<f4", order="C").view("<u4")
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    is_nan = np.isnan(bits.view("<f4"))
    return np.where(is_nan, (bits >> 16) | 0x40, rounded).astype("<u2")  # a NaN stays one, whatever its low bits


def _bytes_elements(array: NDArray[Any]) -> bytes:
    parts: list[bytes] = []
    for element in array.ravel():
        data = _as_bytes(element)
        parts += [struct.pack("<I", len(data)), data]
    return b"".join(parts)


def _as_bytes(element: object) -> bytes:
    if isinstance(element, str):
        return element.encode()
    if isinstance(element, (bytes, bytearray, memoryview)):
        return bytes(element)
    raise RankdError("INVALID_ARGUMENT", f"an element of BYTES must be text or bytes, got {type(element).__name__}")


def _elements_of(data: bytes | memoryview) -> NDArray[np.object_]:
    elements: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 4
        end = start + int.from_bytes(data[at:start], "little")
        if end > len(data):
            raise ValueError(f"the BYTES element at byte {at} ends behind its tensor of {len(data)} bytes")
        elements.append(bytes(data[start:end]))
        at = end
    return _objects(elements)


def _objects(elements: Sequence[bytes]) -> NDArray[np.object_]:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array
