"""What is known of a package by its name: its paragraph, and one text of it."""

import re

from rankd_train.data.debian import Archive, BinaryPackage


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
