"""deb822 and its pitfalls."""

import lzma

import pytest

from rankd_train.data.cleaning import clean
from rankd_train.data.config import CleaningConfig
from rankd_train.data.debian import (
    Archive,
    BinaryPackage,
    SourcePackage,
    build_dependencies,
    load_archive,
    read_archive,
    relation_names,
    save_archive,
)
from rankd_train.data.sets.debian_packages import SET, interactions_of
from rankd_train.data.snapshot import find_set, verify_set
from rankd_train.errors import DataMissing

PACKAGES = """\
Package: tool
Source: toolbox (1.2-3)
Section: devel
Maintainer: Someone <someone@example.org>
Description: short words
Description-md5: 0123
Provides: virtual-tool (= 1), other-tool
Tag: role::program,
 works-with::text

Package: alone
Description: nothing more
"""

SOURCES = """\
Package: toolbox
Build-Depends: cmake (>= 3.1) <!nocheck>, libcurl4-gnutls-dev (>= 7.32.0) | libcurl4-dev,
 python3:any, libkvm-dev [kfreebsd-any], g++-12 <!stage1> <cross>
Build-Depends-Indep: doxygen

Package: toolbox
Build-Depends: cmake
Build-Depends-Arch: ninja-build [!hurd-i386 !armel]

Package: bare
"""

TRANSLATION = """\
Package: tool
Description-md5: 0123
Description-en: short words
 A longer text: with a colon.
 .
 Second paragraph.
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in (("Packages", PACKAGES), ("Sources", SOURCES), ("Translation-en", TRANSLATION)):
        (tmp_path / f"{name}.xz").write_bytes(lzma.compress(text.encode()))
    return tmp_path


def test_qualifiers_are_stripped_and_the_first_alternative_counts(folder):
    sources = {source.name: source.build_depends for source in read_archive(folder).sources}
    assert sources["toolbox"] == (
        "cmake",
        "doxygen",
        "g++-12",
        "libcurl4-gnutls-dev",
        "libkvm-dev",
        "ninja-build",
        "python3",
    )
    assert sources["bare"] == ()


def test_a_package_keeps_its_description_tags_and_source_but_no_person(folder):
    alone, tool = read_archive(folder).binaries
    assert tool == BinaryPackage(
        name="tool",
        section="devel",
        summary="short words",
        description=" A longer text: with a colon.\n .\n Second paragraph.",
        tags=("role::program", "works-with::text"),
        provides=("virtual-tool", "other-tool"),
        source="toolbox",
    )
    assert (alone.section, alone.source, alone.description) == ("unknown", "alone", "")
    assert "someone" not in repr(tool).lower()


def test_an_archive_survives_its_cache(folder, tmp_path):
    archive = read_archive(folder)
    save_archive(archive, tmp_path / "kept.msgpack")
    assert load_archive(tmp_path / "kept.msgpack") == archive


def test_an_empty_field_has_no_names():
    assert relation_names("") == relation_names(" \n ") == ()
    assert build_dependencies({}) == set()


def test_rare_items_fall_before_short_sources():
    """`d` is used by two sources of which one is too short: it stays an item, as in the published counts."""
    sources = (
        SourcePackage("one", ("a", "b", "helper")),
        SourcePackage("two", ("a", "b", "d", "rare")),
        SourcePackage("short", ("d",)),
    )
    config = CleaningConfig(min_events_per_item=2, min_events_per_user=2, dropped_items=("helper",))
    kept = clean(interactions_of(Archive((), sources)), None, config).interactions
    assert kept.users.ids == ("one", "two")
    assert kept.items.ids == ("a", "b", "d")
    assert [kept.events.item[kept.events.user == user].tolist() for user in (0, 1)] == [[0, 1], [0, 1, 2]]


def test_a_missing_set_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKD_DATA", str(tmp_path))
    with pytest.raises(DataMissing, match="every Debian mirror"):
        find_set(SET)


def test_another_snapshot_needs_consent(folder):
    with pytest.raises(DataMissing, match=r"data\.allow_other: true"):
        verify_set(SET, folder, allow_other=False)
    assert set(verify_set(SET, folder, allow_other=True)) == set(SET.files)


def test_the_known_snapshot_is_what_it_was_when_it_is_here():
    try:
        folder = find_set(SET)
    except DataMissing:
        pytest.skip("the data set is not on this machine")
    assert verify_set(SET, folder, allow_other=False) == {name: file.sha256 for name, file in SET.files.items()}
