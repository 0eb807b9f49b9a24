"""The server that the real clients ask: test/fixtures/triton, under the name that Triton's own examples expect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from rankd_process import TRITON_MODELS, Rankd, rankd


@pytest.fixture(scope="session")
def server() -> Iterator[Rankd]:
    """Serves every model of the fixtures, with a response cache."""
    with rankd(TRITON_MODELS, "--id=triton", "--cache-config=local,size=1048576") as running:
        yield running


@pytest.fixture
def explicit_server(tmp_path: Path) -> Iterator[Rankd]:
    """Serves `simple` and `two_versions` until it is told otherwise; `variable` lies beside them."""
    for name in ("simple", "two_versions", "variable"):
        copytree(TRITON_MODELS / name, tmp_path / name, ignore=ignore_patterns("01", "drafts"))
    loaded = ["--load-model=simple", "--load-model=two_versions"]
    with rankd(tmp_path, "--id=triton", "--model-control-mode=explicit", *loaded) as running:
        yield running
