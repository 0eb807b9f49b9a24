"""One progress bar for loops outside Lightning: quiet where no one watches, so that logs stay readable."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(values: Iterable[T], what: str, unit: str = "batches", total: int | None = None) -> Iterator[T]:
    return iter(tqdm(values, desc=what, unit=f" {unit}", total=total, disable=not sys.stderr.isatty(), leave=False))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tells on stderr what is being done, and how long it took: stdout is for results."""
    started = time.monotonic()
    print(f"• {what}", file=sys.stderr, flush=True)
    yield
    print(f"  {what}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
