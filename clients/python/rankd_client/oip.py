"""Bodies of the Open Inference Protocol with its binary tensor extension: JSON, then the tensors' bytes one behind the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from .answers import Tensors
from .tensors import datatype_of, from_bytes, from_list, to_bytes

#: How many bytes of a body are JSON; lower case, as httpx gives headers.
JSON_LENGTH = "inference-header-content-length"


@dataclass(frozen=True, slots=True)
class InferRequest:
    """datatypes: of inputs whose array does not say it by itself, {"x": "BF16"}. outputs: which to compute; None = all."""

    target: str
    inputs: Mapping[str, NDArray[Any]]
    outputs: Sequence[str] | None = None
    datatypes: Mapping[str, str] | None = None
    priority: int = 0
    traceparent: str | None = None

    def tensors(self) -> list[tuple[dict[str, Any], bytes]]:
        """Each input as its description and its bytes."""
        given = self.datatypes or {}
        made = []
        for name, array in self.inputs.items():
            datatype = given.get(name) or datatype_of(array)
            made.append(({"name": name, "datatype": datatype, "shape": list(array.shape)}, to_bytes(array, datatype)))
        return made


def model_path(target: str) -> str:
    """`name` or `name@selector` as the path of a model, or of one version of it."""
    name, at, selector = target.partition("@")
    version = f"/versions/{quote(selector, safe='')}" if at else ""
    return f"/v2/models/{quote(name, safe='')}{version}"


def encode_infer(request: InferRequest) -> tuple[bytes, int]:
    """The body of a call, and how many of its bytes are JSON."""
    inputs, data = [], []
    for description, tensor in request.tensors():
        inputs.append({**description, "parameters": {"binary_data_size": len(tensor)}})
        data.append(tensor)
    parameters: dict[str, Any] = {"binary_data_output": True}
    if request.priority:
        parameters["priority"] = request.priority
    document: dict[str, Any] = {"inputs": inputs, "parameters": parameters}
    if request.outputs is not None:
        document["outputs"] = [{"name": name, "parameters": {"binary_data": True}} for name in request.outputs]
    text = json.dumps(document, separators=(",", ":")).encode()
    return b"".join([text, *data]), len(text)


def decode_infer(body: bytes, json_length: str | None) -> Tensors:
    """json_length: the header's value; None: all is JSON. Raises ValueError for what is no answer to infer."""
    length = len(body) if json_length is None else int(json_length)
    document = json.loads(body[:length])
    data = memoryview(body)[length:]
    outputs: dict[str, NDArray[Any]] = {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is not None and not 0 <= size <= len(data):
            raise ValueError(f"output {output['name']!r} has {size} bytes, and {len(data)} are left")
        outputs[output["name"]] = _tensor(output, None if size is None else data[:size])
        data = data[size or 0 :]
    if len(data) > 0:
        raise ValueError(f"{len(data)} bytes behind the last output")
    return Tensors(
        outputs, model=document["model_name"], version=document.get("model_version", ""), request_id=document.get("id")
    )


def _tensor(output: Mapping[str, Any], data: memoryview | None) -> NDArray[Any]:
    if data is not None:
        return from_bytes(data, output["datatype"], output["shape"])
    return from_list(np.ravel(np.array(output["data"], object)).tolist(), output["datatype"], output["shape"])
