"""The command line from a table of somebody's own to a bundle, and what each mistake is answered with."""

import json
import subprocess
import sys

import numpy as np
import pytest
from export_world import need_tool

from rankd_train.cli import main

RECIPE = """
bundle: {{name: shop, version: 1.0.0, description: What else customers buy}}
data:
  table: {{path: orders.csv, user: customer, item: article, value: amount, time: bought at}}
split: {{kind: temporal}}
evaluation: {{baselines: [popularity], bootstrap_samples: 50, active_from: 5}}
model: {model}
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Forty customers of two tastes; a delimiter, names and a kind of time that no recipe of ours has."""
    rng = np.random.default_rng(3)
    lines = ["customer;article;amount;bought at"]
    for customer in range(40):
        for place, article in enumerate(rng.permutation(12)[:8] * 2 + customer % 2):
            lines.append(f"{1000 + customer};article-{article};{rng.integers(1, 4)};2026-03-{place + 1:02}T08:00:00")
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_recipe(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_recipe(folder, model="{name: item-knn}"):
    (folder / "shop.yaml").write_text(RECIPE.format(model=model), encoding="utf-8")


def test_a_table_is_reported_trained_on_evaluated_and_published(shop, capsys):
    need_tool()
    assert main(["data", "shop.yaml", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["users"], report["items"], report["events"]) == (40, 24, 320)
    assert main(["run", "shop.yaml"]) == 0
    assert "popularity" in capsys.readouterr().out
    log = json.loads((shop / "runs" / "shop" / "run.json").read_text())
    assert (log["set"], log["command"], log["users"]) == ("orders", "rankd-train run shop.yaml", 40)
    assert main(["evaluate", "shop.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["ranking"]["hr@10"] == log["test"]["hr@10"]
    assert main(["publish", "shop.yaml", "--models", "models"]) == 0
    assert "published models/shop/1.0.0" in capsys.readouterr().out
    assert json.loads((shop / "models" / "shop" / "aliases.json").read_text()) == {"champion": "1.0.0"}
    assert "article" not in (shop / "models" / "shop" / "1.0.0" / "config.json").read_text().replace('"article"', "")
    assert main(["publish", "shop.yaml", "--models", "models"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_the_test_items_are_read_once_unless_one_insists(shop, capsys):
    assert main(["run", "shop.yaml"]) == 0
    write_recipe(shop, "{name: item-knn, shrink: 500.0}")
    assert main(["run", "shop.yaml"]) == 6
    assert "--again" in capsys.readouterr().err
    assert main(["run", "shop.yaml", "--no-test"]) == 0
    assert main(["run", "shop.yaml", "--again"]) == 0
    assert json.loads((shop / "runs" / "shop" / "metrics.json").read_text())["test_reads"] == 2


def test_new_weights_are_not_published_with_the_figures_of_old_ones(shop, capsys):
    assert main(["run", "shop.yaml"]) == 0
    write_recipe(shop, "{name: item-knn, shrink: 500.0}")
    assert main(["run", "shop.yaml", "--no-test"]) == 0
    assert main(["publish", "shop.yaml", "--models", "models"]) == 1
    assert "metrics.json: `rankd-train run` makes it" in capsys.readouterr().err


def test_a_version_that_is_there_is_told_before_the_training(shop, capsys):
    need_tool()
    (shop / "models" / "shop" / "1.0.0").mkdir(parents=True)
    assert main(["run", "shop.yaml", "--publish", "models"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert not (shop / "runs" / "shop").exists()


def test_ratings_are_cross_validated_and_the_log_has_the_mean(shop):
    changes = ["data.table.explicit=true", "model={name: svd, factors: 2}"]
    changes += ["evaluation={protocol: ratings, choose_by: rmse, baselines: [], bootstrap_samples: 50, folds: 2}"]
    assert main(["run", "shop.yaml", *(part for change in changes for part in ("--set", change))]) == 0
    metrics = json.loads((shop / "runs" / "shop" / "metrics.json").read_text())
    log = json.loads((shop / "runs" / "shop" / "run.json").read_text())
    assert metrics["folds"]["count"] == 2
    assert log["test"]["rmse"] == metrics["folds"]["mean"]["rmse"]
    assert log["protocol"] == "ratings, mean of 2 random folds, temporal split"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "nothing.yaml"], 2, "cannot read the recipe nothing.yaml"),
        (["run", "shop.yaml", "--set", "model.name=eese"], 2, 'unknown model "eese"'),
        (["run", "shop.yaml", "--set", "data.table.item=artikle"], 5, "artikle"),
        (["run", "shop.yaml", "--set", "data.table.path=orders.tsv"], 3, "orders.tsv is not there"),
        (["evaluate", "shop.yaml"], 1, "`rankd-train run` makes one"),
        (["export", "shop.yaml"], 1, "`rankd-train run` makes one"),
        (["results", "--logs", "logs", "--out", "results.md"], 1, "has a log of a run"),
    ],
)
def test_a_mistake_gets_its_exit_code_and_a_sentence(shop, capsys, arguments, code, message):
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_help_answers_without_the_heavy_libraries():
    script = "import sys; from rankd_train.cli import make_parser; make_parser().format_help(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
