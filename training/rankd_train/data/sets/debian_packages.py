"""Debian's own index files: a source package is a user, what it builds with its history, every binary package an item."""

from dataclasses import replace

import numpy as np

from rankd_train.data.config import CleaningConfig
from rankd_train.data.debian import Archive, load_archive, read_archive, save_archive
from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.package_texts import packages_by_name, text_of
from rankd_train.data.snapshot import FoundSet, KnownFile, KnownSet


def read(found: FoundSet) -> tuple[Interactions, None]:
    """All sources and all packages, by name; cleaning leaves the 5,435 items that five sources or more build with.

    The other packages of the archive stay behind `Items.described`, which `similar` may answer with."""
    return interactions_of(read_kept_archive(found)), None


def read_kept_archive(found: FoundSet) -> Archive:
    """Reads the snapshot (below a minute), or what an earlier run kept of the same files."""
    kept = found.cache / f"archive-{'-'.join(digest[:8] for digest in found.sha256.values())}.msgpack"
    if kept.is_file():
        return load_archive(kept)
    archive = read_archive(found.folder)
    save_archive(archive, kept)
    return archive


def interactions_of(archive: Archive) -> Interactions:
    """Sources that build with anything at all, and packages, virtual ones among them, each sorted by name.

    A source is about the packages that it builds. Descriptions say nothing of build dependencies beyond what a reader
    would guess, so this leaks no held-out item."""
    sources = [source for source in archive.sources if source.build_depends]
    packages = packages_by_name(archive)
    names = sorted({package.name for package in archive.binaries}.union(*(s.build_depends for s in sources)))
    place = {name: row for row, name in enumerate(names)}
    known = [packages.get(name) for name in names]
    items = Items(
        ids=tuple(names),
        text=tuple(text_of(name, package) for name, package in zip(names, known)),
        categories=tuple((package.section if package else "unknown",) for package in known),
        tags=tuple(package.tags if package else () for package in known),
    )
    user = np.repeat(np.arange(len(sources)), [len(source.build_depends) for source in sources])
    item = np.array([place[name] for source in sources for name in source.build_depends], dtype=np.int64)
    described = items.take(np.array([place[package.name] for package in archive.binaries], dtype=np.int64))
    built: dict[str, list[str]] = {}
    for package in archive.binaries:
        built.setdefault(package.source, []).append(package.name)
    users = Users(
        ids=tuple(source.name for source in sources),
        about=tuple(tuple(built.get(source.name, ())) for source in sources),
    )
    return Interactions(
        users, replace(items, described=described), Events(user, item, np.ones(len(user), dtype=np.float32))
    )


SET = KnownSet(
    name="debian-packages",
    title="Debian bookworm 12.15 of 2026-07-11, main, amd64",
    licence="package metadata that the Debian project publishes; names and descriptions may ship",
    how_to_get="""\
The set is three index files of a Debian release, which every Debian mirror carries below dists/bookworm/main/:
  binary-amd64/Packages.xz   source/Sources.xz   i18n/Translation-en.xz""",
    files={
        "Packages.xz": KnownFile(8_790_396, "9e0b5aabb2465b3d2e7a7fe27f9913846277833f7a2826e7767acccff5b588c5"),
        "Sources.xz": KnownFile(9_491_888, "92d11a035571df011f06f28c61cb9825130ef1d92abb2f2e0525e8674dc44af8"),
        "Translation-en.xz": KnownFile(6_107_304, "a3d4a0bfd8e9242810b0885eda7c1a6e05dac15b333ddbaab03ba56f2dfa4bf0"),
    },
    read=read,
    cleaning=CleaningConfig(
        # Nearly every source builds with these: they say nothing about it.
        dropped_items=("debhelper-compat", "debhelper", "dpkg-dev", "dh-python"),
        min_events_per_item=5,
        min_events_per_user=4,
    ),
)
