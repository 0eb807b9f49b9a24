"""Servers that tests share: one for the whole run, with the bundles and the Triton repository of the fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rankd_process import MODELS, TRITON_MODELS, Rankd, rankd


@pytest.fixture(scope="session")
def server() -> Iterator[Rankd]:
    """Serves `tiny`, `scorer` and the models of test/fixtures/triton."""
    with rankd(MODELS, "--model-repository", str(TRITON_MODELS)) as running:
        yield running
