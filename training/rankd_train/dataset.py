"""From the snapshot's files to everything that models read: split, catalogue and content vectors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rankd_train.config import RunConfig
from rankd_train.data.catalogue import Catalogue, build_catalogue
from rankd_train.data.debian import Archive
from rankd_train.data.leave_two_out import LeaveTwoOut, split_leave_two_out
from rankd_train.data.sets.debian_packages import SET, read_kept_archive
from rankd_train.data.snapshot import FoundSet, find_set, verify_set
from rankd_train.data.source_items import SourceItems, build_source_items
from rankd_train.models.content import embed_texts, unit_rows
from rankd_train.progress import step


@dataclass(frozen=True)
class Dataset:
    split: LeaveTwoOut
    catalogue: Catalogue
    content: np.ndarray  # [catalogue, C] float32, unit rows
    user_content: np.ndarray  # [1 + users, C] float32, unit rows; zeros in row 0
    sha256: dict[str, str]  # of the snapshot's files


def read_snapshot(cache: Path, allow_other: bool) -> tuple[Archive, dict[str, str]]:
    """Reads the snapshot, or what an earlier run kept of the same files in `cache`."""
    folder = find_set(SET)
    sha256 = verify_set(SET, folder, allow_other)
    return read_kept_archive(FoundSet(folder, sha256, cache)), sha256


def load_dataset(config: RunConfig, cache: Path, allow_other: bool) -> Dataset:
    with step("reading debian-packages"):
        archive, sha256 = read_snapshot(cache, allow_other)
        interactions = build_source_items(archive.sources, config.data)
        print(f"  {describe(archive, interactions)}")
        split = split_leave_two_out(interactions, config.seed)
        catalogue = build_catalogue(archive, split.items)
    with step("embedding the descriptions"):
        content = embed_texts(catalogue.texts, config.content, config.seed)
    return Dataset(split, catalogue, content, own_content(split, catalogue, content), sha256)


def describe(archive: Archive, interactions: SourceItems) -> str:
    return (
        f"{len(archive.binaries):,} packages, {len(archive.sources):,} sources; kept {len(interactions.users):,} sources x "
        f"{len(interactions.items):,} items, {interactions.pair_count:,} pairs"
    )


def own_content(split: LeaveTwoOut, catalogue: Catalogue, content: np.ndarray) -> np.ndarray:
    """What a source is about: the mean description vector of the packages it builds. Row 0, the unknown user, is zero.

    Descriptions say nothing of build dependencies beyond what a reader would guess, so this leaks no held-out item."""
    vectors = np.zeros((1 + len(split.users), content.shape[1]), dtype=np.float32)
    for row, user in enumerate(split.users, start=1):
        built = catalogue.built_by.get(user, ())
        if built:
            vectors[row] = content[list(built)].mean(axis=0)
    return unit_rows(vectors)
