"""A real `rankd serve` for Python tests: started on free ports, ready when the context begins, ended with it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "test" / "fixtures" / "models"
TRITON_MODELS = ROOT / "test" / "fixtures" / "triton"

#: Seconds that a process may take to end after SIGTERM.
ENDING = 20


@dataclass(frozen=True)
class Rankd:
    """Where a running server listens. process: for tests that end it themselves."""

    port: int
    grpc_port: int
    metrics_port: int
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def http_url(self) -> str:
        return f"http://{self.address}"

    @property
    def rpc_url(self) -> str:
        return f"ws://{self.address}/rpc"


@contextmanager
def rankd(repository: Path = MODELS, *flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Rankd]:
    """Serves a repository. Raises RuntimeError with the server's own words when it does not start."""
    ports = ["--host", "127.0.0.1", "--http-port", "0", "--grpc-port", "0", "--metrics-port", "0"]
    command = ["node", str(ROOT / "dist" / "cli.js"), "serve", *ports, "--model-repository", str(repository), *flags]
    with TemporaryFile("w+") as log, _started(command, log, environment or {}) as process:
        found = _ports(process, log)
        yield Rankd(found["listening"], found["gRPC"], found["metrics"], process)


@contextmanager
def _started(command: Sequence[str], log: IO[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _ports(process: subprocess.Popen[str], log: IO[str]) -> dict[str, int]:
    """Reads the greeting, whose lines name the ports; the one of the metrics comes last."""
    assert process.stdout is not None
    found: dict[str, int] = {}
    for line in process.stdout:
        for what, port in re.findall(r"(listening|gRPC|metrics) on (?:http://)?[^\s:]+:(\d+)", line):
            found[what] = int(port)
        if "metrics" in found:
            return found
    log.seek(0)
    raise RuntimeError(f"rankd did not start:\n{log.read()}")
