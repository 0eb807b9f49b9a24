"""Configuration and command line: what a wrong key, a missing set and a missing run get."""

from pathlib import Path

import pytest

from rankd_train.config import RunConfig, load_config
from rankd_train.errors import ConfigError
from rankd_train.package_cli import main

SHIPPED = Path(__file__).parents[1] / "configs" / "packages.yaml"


def write(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_the_shipped_configuration_is_valid():
    config = load_config(SHIPPED)
    assert isinstance(config, RunConfig)
    assert (config.ranker.embedding_dim, config.ranker.content_units) == (50, 64)
    assert config.ranker.fusion_units == (128, 64, 32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bundle: {name: a, version: 1.0.0, description: b}\nranker: {dropuot: 0.1}", 'unknown key "ranker.dropuot"'),
        ("seed: 1", 'missing key "bundle"'),
        ("bundle: {name: a, version: 1.0.0, description: b}\nseed: one", '"seed" must be int'),
        ("bundle: {name: a, version: 1.0, description: b}", '"bundle.version" must be str, got 1.0'),
        (
            "bundle: {name: a, version: 1.0.0, description: b}\nranker: {fusion_units: 3}",
            '"ranker.fusion_units" must be a list',
        ),
        ("- a list", "must be a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_configuration_names_the_key(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert message in str(caught.value)


def test_exit_codes_tell_what_went_wrong(tmp_path, monkeypatch, capsys):
    assert main(["data", str(tmp_path / "none.yaml")]) == 2
    monkeypatch.setenv("RANKD_DATA", str(tmp_path))
    assert main(["data", str(SHIPPED), "--runs", str(tmp_path)]) == 3
    assert main(["evaluate", str(SHIPPED), "--runs", str(tmp_path)]) == 1
    assert "rankd_train run" in capsys.readouterr().err


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("data", "run", "evaluate", "export", "exit codes"))
