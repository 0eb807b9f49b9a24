"""The catalogue: every package that can be an answer, its row, section and text."""

import re
from dataclasses import dataclass

import numpy as np

from rankd_train.data.debian import Archive, BinaryPackage


@dataclass(frozen=True)
class Catalogue:
    """Rows 0..trained_count-1 are the items of the interactions, in their order; then all other packages by name."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    section_names: tuple[str, ...]
    section: np.ndarray  # [rows] uint32, place in section_names
    trained_count: int
    built_by: dict[str, tuple[int, ...]]  # source name -> rows of the packages that it builds


def build_catalogue(archive: Archive, trained_items: tuple[str, ...]) -> Catalogue:
    packages = packages_by_name(archive)
    trained = set(trained_items)
    names = (*trained_items, *(package.name for package in archive.binaries if package.name not in trained))
    rows = {name: row for row, name in enumerate(names)}

    texts, sections = [], []
    for name in names:
        package = packages.get(name)
        texts.append(text_of(name, package))
        sections.append(package.section if package else "unknown")
    section_names = tuple(sorted(set(sections)))
    code = {section: index for index, section in enumerate(section_names)}
    built_by: dict[str, list[int]] = {}
    for package in archive.binaries:
        built_by.setdefault(package.source, []).append(rows[package.name])
    return Catalogue(
        names=names,
        texts=tuple(texts),
        section_names=section_names,
        section=np.array([code[section] for section in sections], dtype=np.uint32),
        trained_count=len(trained_items),
        built_by={source: tuple(built) for source, built in built_by.items()},
    )


def packages_by_name(archive: Archive) -> dict[str, BinaryPackage]:
    """A name without a paragraph of its own (a virtual package) borrows that of its first provider."""
    packages = {name: package for package in reversed(archive.binaries) for name in package.provides}
    return packages | {package.name: package for package in archive.binaries}


def text_of(name: str, package: BinaryPackage | None) -> str:
    """One document: the name whole and in parts, then section, tags, summary and description.

    Section and tags become one word each (`section:games`), which keeps them apart from prose."""
    words = [name, *re.split(r"[-.+:]", name)]
    if package is None:
        return " ".join(words)
    tags = [f"tag:{tag}" for tag in package.tags]
    return " ".join([*words, f"section:{package.section}", *tags, package.summary, package.description])
