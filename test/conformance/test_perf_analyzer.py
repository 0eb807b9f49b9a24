"""What perf_analyzer asks of a server, played by hand: its wheel wants a newer glibc than many machines have.

It reads metadata and config, takes the statistics before and after a window of requests, and gives up unless the counts of
the three compute steps agree ("Server side statistics compute counts must be the same.").
"""

from __future__ import annotations

import http.client
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest

from rankd_process import Rankd
from requests_of import LEFT, RIGHT, STATISTICS

LENGTH = "Inference-Header-Content-Length"
COMPUTE = ("compute_input", "compute_infer", "compute_output")


@contextmanager
def connection(server: Rankd) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(server.address, timeout=20)) as made:
        yield made


def get(server: Rankd, path: str) -> Any:  # noqa: ANN401
    with connection(server) as made:
        made.request("GET", path)
        response = made.getresponse()
        assert response.status == 200
        return json.loads(response.read())


def infer_body() -> tuple[bytes, int]:
    tensors = {"INPUT0": LEFT.tobytes(), "INPUT1": RIGHT.tobytes()}
    described = [
        {"name": name, "shape": [1, 16], "datatype": "INT32", "parameters": {"binary_data_size": len(data)}}
        for name, data in tensors.items()
    ]
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in ("OUTPUT0", "OUTPUT1")]
    document = json.dumps({"id": "0", "inputs": described, "outputs": outputs}).encode()
    return document + b"".join(tensors.values()), len(document)


def infer(made: http.client.HTTPConnection) -> None:
    """As its C++ client sends it: binary both ways, an Expect header that must not make it wait."""
    body, length = infer_body()
    headers = {LENGTH: str(length), "Content-Type": "application/octet-stream", "Expect": ""}
    made.request("POST", "/v2/models/simple/infer", body, headers)
    response = made.getresponse()
    answer = response.read()
    assert response.status == 200
    outputs = struct.unpack("<32i", answer[int(response.headers[LENGTH]) :])
    np.testing.assert_array_equal(outputs[:16], (LEFT + RIGHT)[0])


def worker(server: Rankd, requests: int) -> None:
    with connection(server) as made:
        for _ in range(requests):
            infer(made)


def counts(server: Rankd) -> dict[str, int]:
    (model,) = get(server, "/v2/models/simple/versions/1/stats")["model_stats"]
    assert set(model["inference_stats"]) == STATISTICS
    made = {name: each["count"] for name, each in model["inference_stats"].items()}
    return made | {"inference": model["inference_count"], "execution": model["execution_count"]}


def test_it_learns_what_to_send(server: Rankd) -> None:
    assert get(server, "/v2/health/ready") is not None
    assert "statistics" in get(server, "/v2")["extensions"]
    metadata = get(server, "/v2/models/simple/versions/1")
    config = get(server, "/v2/models/simple/versions/1/config")
    assert [each["name"] for each in config["input"]] == [each["name"] for each in metadata["inputs"]]
    assert metadata["inputs"][0]["shape"] == [-1, *config["input"][0]["dims"]]
    assert "sequence_batching" not in config
    assert not config.get("model_transaction_policy", {}).get("decoupled", False)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_statistics_of_a_window_add_up(server: Rankd, concurrency: int) -> None:
    before = counts(server)
    with ThreadPoolExecutor(concurrency) as pool:
        for done in [pool.submit(worker, server, 50) for _ in range(concurrency)]:
            done.result()
    after = counts(server)
    window = {name: after[name] - before[name] for name in after}
    requests = 50 * concurrency
    assert window["success"] == window["queue"] == window["inference"] == requests
    assert {window[name] for name in COMPUTE} == {requests}
    assert 0 < window["execution"] <= requests
    assert window["fail"] == window["cache_hit"] == 0
