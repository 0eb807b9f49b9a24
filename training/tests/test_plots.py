"""Plots as small SVG files whose bytes depend on the figures alone."""

import xml.etree.ElementTree as ElementTree

import pytest

from rankd_train.evaluation.plots import watched_metric, write_plots

EPOCHS = [
    {
        "epoch": 0,
        "train_loss": 0.7,
        "val_ndcg@10": 0.1,
        "val_hr@10": 0.2,
        "learning_rate": 1e-3,
        "level": 1,
        "seconds": 2.0,
    },
    {
        "epoch": 1,
        "train_loss": 0.5,
        "val_ndcg@10": 0.3,
        "val_hr@10": 0.4,
        "learning_rate": 1e-3,
        "level": 1,
        "seconds": 2.1,
    },
    {
        "epoch": 2,
        "train_loss": 0.4,
        "val_ndcg@10": 0.2,
        "val_hr@10": 0.5,
        "learning_rate": 1e-3,
        "level": 1,
        "seconds": 2.2,
    },
]


def part(users: int, value: float) -> dict:
    return {"users": users, "metrics": {"ndcg@10": value}, "intervals": {"ndcg@10": [value - 0.1, value + 0.1]}}


@pytest.fixture
def metrics() -> dict:
    return {
        "choose_by": "ndcg@10",
        "metrics": {"ranking": {"ndcg@10": 0.5}, "prediction": {}},
        "intervals": {"ndcg@10": [0.4, 0.6]},
        "baselines": {"popularity": {"ndcg@10": 0.2}, "item-knn": {"ndcg@10": 0.3}, "strange": {}},
        "segments": {"activity": {"new": part(40, 0.4), "active": part(1_000, 0.6)}, "sex": {"f": part(3, 0.5)}},
    }


def texts(path) -> str:
    root = ElementTree.parse(path).getroot()
    return " ".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))


def test_every_plot_is_a_small_svg_that_names_what_it_shows(tmp_path, metrics):
    paths = write_plots(tmp_path, metrics, EPOCHS)
    assert [path.name for path in paths] == ["training-curves.svg", "baselines.svg", "segments.svg"]
    assert all(path.stat().st_size < 60_000 for path in paths)
    curves, baselines, segments = map(texts, paths)
    assert "train loss" in curves and "best: epoch 1, 0.3000" in curves
    assert (
        "popularity" in baselines and "0.3000" in baselines and "this model" in baselines and "strange" not in baselines
    )
    assert "activity: active (1,000)" in segments and "sex: f (3)" in segments


def test_the_same_figures_give_the_same_bytes(tmp_path, metrics):
    one, two = (write_plots(tmp_path / name, metrics, EPOCHS) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert b"<dc:date>" not in one[0].read_bytes()


def test_nothing_to_show_is_no_plot(tmp_path, metrics):
    assert write_plots(tmp_path, {**metrics, "baselines": {}, "segments": {}}, []) == []


def test_the_metric_that_chose_is_drawn_or_else_the_first():
    assert watched_metric(["val_hr@10", "val_ndcg@10"], "ndcg@10") == "val_ndcg@10"
    assert watched_metric(["val_hr@10"], "rmse") == "val_hr@10"
    assert watched_metric([], "rmse") is None
