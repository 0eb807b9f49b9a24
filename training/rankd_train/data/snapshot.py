"""Finds the files of a known set on this machine and checks that they are the ones whose figures are published."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rankd_train.data.config import CleaningConfig
from rankd_train.data.interactions import Interactions
from rankd_train.data.loaded import Given
from rankd_train.errors import DataMissing

# Published sets are cut as published: nothing more is taken away from them.
AS_PUBLISHED = CleaningConfig(duplicates="keep", min_events_per_item=0, min_events_per_user=0)


@dataclass(frozen=True)
class KnownFile:
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class FoundSet:
    """A known set where it was found."""

    folder: Path
    sha256: Mapping[str, str]  # by file name
    cache: Path  # for what is slow to read twice


@dataclass(frozen=True)
class KnownSet:
    name: str  # also of its folder
    title: str
    licence: str
    how_to_get: str
    files: Mapping[str, KnownFile]
    read: Callable[[FoundSet], tuple[Interactions, Given | None]]
    cleaning: CleaningConfig = field(default=AS_PUBLISHED)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files.values())


def find_set(known: KnownSet) -> Path:
    """The folder of the set: `$RANKD_DATA/<name>`, else `shared/data/<name>` beside the checkout or above it."""
    configured = os.environ.get("RANKD_DATA")
    if configured:
        roots = [Path(configured)]
    else:
        roots = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    folders = [root / known.name for root in roots if (root / known.name).is_dir()]
    for folder in folders:
        if not missing_files(known, folder):
            return folder
    looked = f"$RANKD_DATA ({configured})" if configured else "shared/data beside this checkout (RANKD_DATA is not set)"
    lacks = f": {', '.join(missing_files(known, folders[0]))} missing in {folders[0]}" if folders else ""
    raise DataMissing(
        f"the data set {known.name} ({known.title}; {known.size_bytes / 1e6:.1f} MB) is not in {looked}{lacks}.\n"
        f"{known.how_to_get}\nPut the files into a folder named {known.name} and point RANKD_DATA at the folder above it."
    )


def missing_files(known: KnownSet, folder: Path) -> list[str]:
    return [name for name in known.files if not (folder / name).is_file()]


def verify_set(known: KnownSet, folder: Path, allow_other: bool) -> dict[str, str]:
    """SHA-256 of every file, by name.

    Raises DataMissing when a file differs from the known one and `allow_other` is False."""
    found = {name: sha256_of(folder / name) for name in known.files}
    other = [name for name, digest in found.items() if digest != known.files[name].sha256]
    if other and not allow_other:
        wanted = ", ".join(f"{name} ({known.files[name].size_bytes:,} bytes)" for name in other)
        raise DataMissing(
            f"{', '.join(other)} in {folder} differ from the known snapshot of {known.name} ({known.title}): expected "
            f"{wanted}, got {', '.join(f'{(folder / name).stat().st_size:,} bytes' for name in other)}. The published "
            "figures would not be reproduced. To train on it all the same, set data.allow_other: true in the recipe."
        )
    return found


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
