"""Finds the debian-packages files on this machine and checks that they are the known snapshot."""

import hashlib
import os
from pathlib import Path

from rankd_train.errors import DataMissing

SET_NAME = "debian-packages"

# Debian bookworm 12.15 (Release of 2026-07-11), main, amd64. Another snapshot trains as well, but gives other figures.
KNOWN_SHA256 = {
    "Packages.xz": "9e0b5aabb2465b3d2e7a7fe27f9913846277833f7a2826e7767acccff5b588c5",
    "Sources.xz": "92d11a035571df011f06f28c61cb9825130ef1d92abb2f2e0525e8674dc44af8",
    "Translation-en.xz": "a3d4a0bfd8e9242810b0885eda7c1a6e05dac15b333ddbaab03ba56f2dfa4bf0",
}

HOW_TO_GET = """\
The set is three index files of a Debian release, which every Debian mirror carries below dists/bookworm/main/:
  binary-amd64/Packages.xz   source/Sources.xz   i18n/Translation-en.xz
Put them into a folder named debian-packages and point RANKD_DATA at the folder above it."""


def find_snapshot() -> Path:
    """The folder of the set: `$RANKD_DATA/debian-packages`, else `shared/data` beside the checkout or above it."""
    configured = os.environ.get("RANKD_DATA")
    if configured:
        roots = [Path(configured)]
    else:
        roots = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    for root in roots:
        folder = root / SET_NAME
        if all((folder / name).is_file() for name in KNOWN_SHA256):
            return folder
    looked = f"$RANKD_DATA ({configured})" if configured else "shared/data beside this checkout (RANKD_DATA is not set)"
    raise DataMissing(f"the data set {SET_NAME} is not in {looked}.\n{HOW_TO_GET}")


def verify_snapshot(folder: Path, allow_other: bool) -> dict[str, str]:
    """SHA-256 of every file, by name.

    Raises DataMissing when a file differs from the known snapshot and `allow_other` is False."""
    found = {name: sha256_of(folder / name) for name in KNOWN_SHA256}
    other = [name for name, digest in found.items() if digest != KNOWN_SHA256[name]]
    if other and not allow_other:
        raise DataMissing(
            f"{', '.join(other)} in {folder} differ from the known snapshot (Debian bookworm 12.15); "
            "the published figures would not be reproduced. Pass --allow-other-snapshot to train on it all the same."
        )
    return found


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
