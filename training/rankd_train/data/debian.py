"""Reads Debian's index files (deb822 paragraphs) into plain records, with python-debian doing the parsing."""

import logging
import lzma
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgpack
from debian.deb822 import Deb822, Packages, PkgRelation, Sources

from rankd_train.progress import progress

BUILD_DEPENDENCY_FIELDS = ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")


@dataclass(frozen=True)
class BinaryPackage:
    """One installable package: an item. `Maintainer` and other personal fields are never read."""

    name: str
    section: str
    summary: str
    description: str
    tags: tuple[str, ...]
    provides: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class SourcePackage:
    """One source package: a user, and what it builds with: the history (a set, sorted by name)."""

    name: str
    build_depends: tuple[str, ...]


@dataclass(frozen=True)
class Archive:
    """Both kinds of packages of one snapshot, each sorted by name."""

    binaries: tuple[BinaryPackage, ...]
    sources: tuple[SourcePackage, ...]


def read_archive(folder: Path) -> Archive:
    """Parses the three files of a snapshot (about 160,000 paragraphs, below a minute)."""
    descriptions = {
        p["Description-md5"]: p.get("Description-en", "") for p in paragraphs(folder / "Translation-en.xz", Deb822)
    }
    binaries = {p["Package"]: binary_of(p, descriptions) for p in paragraphs(folder / "Packages.xz", Packages)}
    return Archive(tuple(binaries[name] for name in sorted(binaries)), read_sources(folder))


def read_sources(folder: Path) -> tuple[SourcePackage, ...]:
    """The source packages alone, sorted by name."""
    # Text that python-debian cannot parse is met as a raw name and falls out with the rare items.
    logging.getLogger("debian.deb822").setLevel(logging.ERROR)
    # 46 sources stand in the index in two versions: their build dependencies are united.
    depends: dict[str, set[str]] = {}
    for paragraph in paragraphs(folder / "Sources.xz", Sources):
        depends.setdefault(paragraph["Package"], set()).update(build_dependencies(paragraph))
    return tuple(SourcePackage(name, tuple(sorted(items))) for name, items in sorted(depends.items()))


def paragraphs(path: Path, kind: type[Deb822]) -> Iterator[Deb822]:
    """The paragraphs of one xz-compressed index file."""
    with lzma.open(path) as file:
        # apt's own reader would be faster, but is a system package that a virtual environment does not have.
        yield from progress(kind.iter_paragraphs(file, use_apt_pkg=False), f"reading {path.name}", unit="paragraphs")


def binary_of(paragraph: Deb822, descriptions: dict[str, str]) -> BinaryPackage:
    name = paragraph["Package"]
    full = descriptions.get(paragraph.get("Description-md5", ""), "")
    return BinaryPackage(
        name=name,
        section=paragraph.get("Section", "unknown"),
        summary=paragraph.get("Description", "").split("\n", 1)[0],
        # The first line repeats the summary.
        description=full.partition("\n")[2],
        tags=tuple(tag.strip() for tag in paragraph.get("Tag", "").split(",") if tag.strip()),
        provides=relation_names(paragraph.get("Provides", "")),
        # "Source: name (version)" when the versions differ; without the field a package is its own source.
        source=paragraph.get("Source", name).split(" ", 1)[0],
    )


def build_dependencies(paragraph: Deb822) -> set[str]:
    return {name for field in BUILD_DEPENDENCY_FIELDS for name in relation_names(paragraph.get(field, ""))}


def relation_names(relations: str) -> tuple[str, ...]:
    """Package names of a relation field without versions, architectures (`:any`, `[linux-any]`) and profiles (`<!nocheck>`).

    Of alternatives `a | b` only the first counts: it is what Debian's own build machines install."""
    if not relations.strip():
        return ()
    parsed = PkgRelation.parse_relations(relations)
    return tuple(alternatives[0]["name"] for alternatives in parsed if alternatives[0]["name"])


def save_archive(archive: Archive, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        "binaries": [tuple(asdict(package).values()) for package in archive.binaries],
        "sources": [tuple(asdict(package).values()) for package in archive.sources],
    }
    path.write_bytes(msgpack.packb(rows))


def load_archive(path: Path) -> Archive:
    rows = msgpack.unpackb(path.read_bytes(), use_list=False)
    return Archive(
        tuple(BinaryPackage(*row) for row in rows["binaries"]),
        tuple(SourcePackage(*row) for row in rows["sources"]),
    )
