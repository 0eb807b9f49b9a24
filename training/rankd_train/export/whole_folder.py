"""A folder that appears whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yields an empty folder beside `target`, which takes its place when the block ends well, and is removed when it fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        staged.chmod(0o755)
        yield staged
        move_into_place(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def move_into_place(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    # A rename cannot replace a folder that has files: the old one leaves first, whole.
    retired = Path(tempfile.mkdtemp(prefix=f".retired-{target.name}-", dir=target.parent))
    target.rename(retired / "old")
    try:
        staged.rename(target)
    except OSError:
        (retired / "old").rename(target)
        raise
    finally:
        shutil.rmtree(retired)
