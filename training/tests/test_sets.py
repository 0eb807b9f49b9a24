"""Known sets say what they are and how to get them; those that are here are read as they were published."""

import gzip
import lzma

import numpy as np
import pytest

from rankd_train.data.config import DataConfig
from rankd_train.data.debian import Archive, BinaryPackage, SourcePackage
from rankd_train.data.load import load_interactions
from rankd_train.data.sets.debian_packages import interactions_of
from rankd_train.data.sets.gowalla import read_lists
from rankd_train.data.sets.movielens import age_band, seconds_of_years
from rankd_train.data.sets.registry import MODULES, find_known
from rankd_train.data.snapshot import find_set, verify_set
from rankd_train.errors import ConfigError, DataMissing


def test_an_unknown_set_is_told_with_those_that_are_known():
    with pytest.raises(
        ConfigError, match=r'unknown data set "ml-20m"; known are: debian-packages, gowalla, .*data\.table'
    ):
        find_known("ml-20m")


@pytest.mark.parametrize("name", MODULES)
def test_a_missing_set_says_where_it_was_looked_for_how_large_it_is_and_how_to_get_it(name, tmp_path, monkeypatch):
    monkeypatch.setenv("RANKD_DATA", str(tmp_path))
    known = find_known(name)
    with pytest.raises(DataMissing) as caught:
        load_interactions(DataConfig(set=name), tmp_path, tmp_path)
    message = str(caught.value)
    assert name in message and str(tmp_path) in message and known.how_to_get in message
    assert f"{known.size_bytes / 1e6:.1f} MB" in message
    assert known.name == name and known.licence


def test_a_missing_file_and_another_checksum_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKD_DATA", str(tmp_path))
    known, folder = find_known("ml-100k"), tmp_path / "ml-100k"
    folder.mkdir()
    for name in list(known.files)[1:]:
        (folder / name).write_bytes(b"something else")
    with pytest.raises(DataMissing, match=r"ml-100k\.inter\.gz missing in"):
        find_set(known)
    (folder / "ml-100k.inter.gz").write_bytes(b"")
    with pytest.raises(
        DataMissing, match=r"expected ml-100k\.inter\.gz \(827,989 bytes\).*got 0 bytes.*data\.allow_other: true"
    ):
        verify_set(known, find_set(known), allow_other=False)


def test_other_files_of_a_known_set_are_read_when_the_recipe_allows_them(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKD_DATA", str(tmp_path))
    (tmp_path / "ml-100k").mkdir()
    for name, text in {
        "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n2\t9\t4\t100\n1\t9\t5\t7\n2\t5\t1\t50\n",
        "user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip:token\n2\t17\tF\tartist\t1\n1\t56\tM\tnone\t2\n",
        "item": 'item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n9\tA "B"\t1995\tDrama War\n5\tD\t\t\n',
    }.items():
        (tmp_path / "ml-100k" / f"ml-100k.{name}.gz").write_bytes(gzip.compress(text.encode()))
    loaded = load_interactions(DataConfig(set="ml-100k", allow_other=True), tmp_path, tmp_path)
    users, items, events = loaded.interactions.users, loaded.interactions.items, loaded.interactions.events
    assert users.ids == (1, 2) and items.ids == (5, 9) and loaded.interactions.explicit
    assert users.attributes["age"].tolist() == ["56+", "under 18"]
    assert items.text == ("D", 'A "B" Drama War') and items.categories == ((), ("Drama", "War"))
    assert items.created.tolist() == [-1, 788_918_400]
    assert events.user.tolist() == [0, 1, 1] and events.item.tolist() == [1, 0, 1]
    assert events.value.tolist() == [5, 1, 4] and events.time.tolist() == [7, 50, 100]


def test_lists_of_gowalla_become_pairs(tmp_path):
    (tmp_path / "lists.txt.xz").write_bytes(lzma.compress(b"0 4 2\n1\n3 9\n"))
    user, item = read_lists(tmp_path / "lists.txt.xz")
    assert user.tolist() == [0, 0, 3] and item.tolist() == [4, 2, 9]


def test_sources_and_packages_become_interactions_with_texts_sections_and_tags():
    binary = BinaryPackage("cmake", "devel", "makes", "builds things", ("role::program",), ("make-tool",), "cmake")
    archive = Archive((binary,), (SourcePackage("hello", ("cmake", "lost", "make-tool")), SourcePackage("none", ())))
    found = interactions_of(archive)
    assert found.users.ids == ("hello",)
    assert found.items.ids == ("cmake", "lost", "make-tool")
    assert found.items.categories == (
        ("devel",),
        ("unknown",),
        ("devel",),
    )  # a virtual package borrows from its provider
    assert found.items.tags[0] == ("role::program",) and "builds things" in found.items.text[0]
    assert found.events.item.tolist() == [0, 1, 2]
    assert found.items.described.ids == ("cmake",)  # what exists: names that are only depended on are no answer


def test_a_source_is_about_the_packages_that_it_builds():
    binaries = tuple(
        BinaryPackage(name, "libs", "", "", (), (), source)
        for name, source in (("libhello", "hello"), ("hello-doc", "hello"), ("make", "make"))
    )
    found = interactions_of(Archive(binaries, (SourcePackage("hello", ("make",)), SourcePackage("lost", ("make",)))))
    assert found.users.about == (("libhello", "hello-doc"), ())


def test_ages_and_years_are_told_alike_in_both_movielens_sets():
    assert [age_band(years) for years in (7, 18, 24, 49, 50, 73)] == [
        "under 18",
        "18-24",
        "18-24",
        "45-49",
        "50-55",
        "56+",
    ]
    assert seconds_of_years([1970, 1960, None]).tolist() == [0, -315_619_200, -1]


def test_movielens_100k_is_what_it_was_when_it_is_here(tmp_path):
    try:
        loaded = load_interactions(DataConfig(set="ml-100k"), tmp_path, tmp_path)
    except DataMissing:
        pytest.skip("the data set is not on this machine")
    assert loaded.interactions.shape == (943, 1682)
    assert len(loaded.interactions.events) == 100_000
    assert loaded.interactions.events.value.mean() == pytest.approx(3.52986)
    assert set(np.unique(loaded.interactions.users.attributes["gender"])) == {"F", "M"}
    assert not loaded.report["warnings"]
