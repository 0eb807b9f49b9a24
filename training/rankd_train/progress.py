"""What a run tells while it runs, all on stderr: stdout is for results. Bars stand only where someone watches."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(values: Iterable[T], what: str, unit: str = "batches", total: int | None = None) -> Iterator[T]:
    return iter(tqdm(values, desc=what, unit=f" {unit}", total=total, disable=not sys.stderr.isatty(), leave=False))


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tells what is being done, and how long it took."""
    started = time.monotonic()
    tell(f"• {what}")
    yield
    tell(f"  {what}: {time.monotonic() - started:.1f} s")
