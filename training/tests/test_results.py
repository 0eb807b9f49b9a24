"""docs/results.md is what the logs say."""

import json

import pytest

from rankd_train.errors import TrainError
from rankd_train.results import collect_logs, write_results


def log(**changes):
    return {
        "title": "EASE",
        "family": "ease",
        "set": "gowalla",
        "protocol": "full ranking",
        "command": "rankd-train run configs/ease-gowalla.yaml",
        "seed": 0,
        "users": 29_858,
        "test_reads": 1,
        "choose_by": "recall@20",
        "seconds": {"fit": 200.0, "refit": 210.0, "test": 30.0},
        "machine": {"processor": "a processor"},
        "test": {"recall@20": 0.1761, "ndcg@20": 0.1462},
        "intervals": {"recall@20": [0.175, 0.1775]},
        "published": [
            {"metric": "recall@20", "value": 0.1765, "source": "BARS"},
            {"metric": "ndcg@20", "value": 0.1467, "source": "BARS"},
        ],
        **changes,
    }


def keep(folder, name, run):
    (folder / name).mkdir(parents=True)
    (folder / name / "run.json").write_text(json.dumps(run), encoding="utf-8")


def test_a_row_has_our_figure_beside_the_published_one(tmp_path):
    keep(tmp_path / "runs", "ease-gowalla", log())
    write_results(collect_logs(tmp_path / "runs", tmp_path / "logs"), tmp_path / "results.md")
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "## gowalla: full ranking\n" in page
    assert "| model | recall@20 | published | ndcg@20 | published | source |\n" in page
    assert "| [EASE](models/ease.md) | 0.1761 (0.1750-0.1775) | 0.1765 | 0.1462 | 0.1467 | BARS |\n" in page
    assert (
        "| ease-gowalla | `rankd-train run configs/ease-gowalla.yaml` | 0 | 29,858 | 1 | 210 s | 440 s | a processor |"
        in page
    )


def test_where_nobody_published_a_row_shows_what_the_recipe_chose_by(tmp_path):
    keep(tmp_path / "runs", "mine", log(published=[]))
    write_results(collect_logs(tmp_path / "runs", tmp_path / "logs"), tmp_path / "results.md")
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| model | recall@20 | published | source |\n" in page
    assert "| [EASE](models/ease.md) | 0.1761 (0.1750-0.1775) | – | – |\n" in page


def test_the_best_row_comes_first_and_of_errors_the_lowest(tmp_path):
    figures = {"rmse": [0.95, 0.91], "recall@20": [0.1, 0.2]}
    for metric, values in figures.items():
        for title, value in zip(("Worse", "Better"), values):
            run = log(title=title, set=metric, test={metric: value}, intervals={}, published=[], choose_by=metric)
            keep(tmp_path / "runs", f"{title}-{metric}", run)
    write_results(collect_logs(tmp_path / "runs", tmp_path / "logs"), tmp_path / "results.md")
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    for section in page.split("## ")[1:3]:
        assert section.index("Better") < section.index("Worse")


def test_logs_of_earlier_runs_stay(tmp_path):
    keep(tmp_path / "runs", "b", log())
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_text(json.dumps(log()), encoding="utf-8")
    assert [path.name for path in collect_logs(tmp_path / "runs", tmp_path / "logs")] == ["a.json", "b.json"]


def test_a_figure_that_no_run_measured_is_an_error(tmp_path):
    keep(tmp_path / "runs", "x", log(published=[{"metric": "hr@10", "value": 0.7, "source": "paper"}]))
    with pytest.raises(TrainError, match='x has no "hr@10" to set beside the published one; it has ndcg@20, recall@20'):
        write_results(collect_logs(tmp_path / "runs", tmp_path / "logs"), tmp_path / "results.md")


def test_a_log_that_lacks_something_is_named(tmp_path):
    old = log()
    del old["test_reads"]
    keep(tmp_path / "runs", "x", old)
    with pytest.raises(TrainError, match=r'x\.json is the log of an older run, without "test_reads"'):
        write_results(collect_logs(tmp_path / "runs", tmp_path / "logs"), tmp_path / "results.md")


def test_without_any_log_the_message_says_what_makes_one(tmp_path):
    with pytest.raises(TrainError, match="`rankd-train run RECIPE` leaves one"):
        collect_logs(tmp_path / "runs", tmp_path / "logs")
