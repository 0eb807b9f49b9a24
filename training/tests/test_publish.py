"""Publishing: by rename, never over a version that is there, never what the engine refuses."""

import json
import shutil

import pytest
from export_world import make_facts, make_serving, need_tool

from rankd_train.errors import ExportMismatch, TrainError
from rankd_train.export.bundle import export_bundle
from rankd_train.export.publish import publish
from rankd_train.export.serving import Serving


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    need_tool()
    whole = make_serving()
    small = Serving(item=whole.item, sources=whole.sources[:1])
    return export_bundle(small, make_facts(), tmp_path_factory.mktemp("bundle") / "tiny")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_bundle_is_published_whole_and_becomes_the_champion(bundle, tmp_path):
    target = publish(bundle, tmp_path)
    assert target == tmp_path / "tiny" / "1.0.0"
    assert files(target) == files(bundle)
    assert json.loads((tmp_path / "tiny" / "aliases.json").read_text()) == {"champion": "1.0.0"}
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["1.0.0", "aliases.json"]


def test_other_aliases_stay(bundle, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "aliases.json").write_text('{"champion": "0.9.0", "previous": "0.8.0"}')
    publish(bundle, tmp_path)
    aliases = json.loads((tmp_path / "tiny" / "aliases.json").read_text())
    assert aliases == {"champion": "1.0.0", "previous": "0.8.0"}


def test_a_version_that_is_there_is_kept_unless_it_is_to_be_replaced(bundle, tmp_path):
    target = publish(bundle, tmp_path)
    (target / "CARD.md").write_text("the old one")
    with pytest.raises(TrainError, match=r"1.0.0 is there already.*--replace"):
        publish(bundle, tmp_path)
    assert (target / "CARD.md").read_text() == "the old one"
    publish(bundle, tmp_path, replace=True)
    assert files(target) == files(bundle)
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["1.0.0", "aliases.json"]


def test_a_bundle_that_the_engine_refuses_leaves_nothing_behind(bundle, tmp_path):
    broken = shutil.copytree(bundle, tmp_path / "broken")
    (broken / "item.ids").write_bytes(b"something else")
    with pytest.raises(ExportMismatch, match=r"item\.ids"):
        publish(broken, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_folder_that_is_no_bundle_says_what_it_lacks(tmp_path):
    with pytest.raises(TrainError, match=r"no manifest.json"):
        publish(tmp_path, tmp_path / "models")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(TrainError, match="is not a manifest"):
        publish(tmp_path, tmp_path / "models")
