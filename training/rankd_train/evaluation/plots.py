"""Plots of a run as SVG: how training went, how groups of users fare, and what the baselines reach.

Drawn from metrics.json and training_history.json, the same bytes from the same figures. Greys and colours of middle
lightness on no background read in light and dark pages alike."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rankd_train.evaluation.config import ERRORS

OURS, OTHER, INK = "#2f81f7", "#9e7bd8", "#7d8590"
STYLE = {
    "svg.hashsalt": "rankd",
    "svg.fonttype": "none",  # text stays text: small, and in the reader's own font
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# What an epoch's entry holds beside losses and validation metrics.
BOOKKEEPING = ("epoch", "learning_rate", "level", "seconds")


def write_plots(folder: Path, metrics: Mapping[str, Any], epochs: Sequence[Mapping[str, float]]) -> list[Path]:
    """metrics: of `metrics_json`; epochs: `Fitted.history`, empty for a closed form. Returns the files written."""
    metric = metrics["choose_by"]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(STYLE):
        if epochs:
            written.append(save(training_curves(epochs, metric), folder / "training-curves.svg"))
        if metrics["baselines"] and any(metric in figures for figures in metrics["baselines"].values()):
            written.append(save(baselines(metrics, metric), folder / "baselines.svg"))
        if any(metric in part["metrics"] for groups in metrics["segments"].values() for part in groups.values()):
            written.append(save(segments(metrics, metric), folder / "segments.svg"))
    return written


def save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return path


def training_curves(epochs: Sequence[Mapping[str, float]], metric: str) -> Figure:
    """The losses on the left axis; on the right the validation metric that chose, its best epoch marked."""
    figure = Figure(figsize=(6.4, 3.2))
    left = figure.subplots()
    number = [entry.get("epoch", place) for place, entry in enumerate(epochs)]
    names = [name for name in epochs[0] if name not in BOOKKEEPING]
    losses = [name for name in names if name.endswith("loss")]
    for name, style in zip(losses, ("-", "--", ":")):
        left.plot(number, [entry.get(name) for entry in epochs], style, color=OTHER, label=name.replace("_", " "))
    left.set_xlabel("epoch")
    left.set_ylabel("loss" if losses else "")
    left.xaxis.get_major_locator().set_params(integer=True)
    watched = watched_metric([name for name in names if name not in losses], metric)
    if watched:
        right = left.twinx()
        right.spines["right"].set_visible(True)
        values = [entry.get(watched, float("nan")) for entry in epochs]
        choose = min if metric in ERRORS else max
        best = values.index(choose(value for value in values if value == value))
        right.plot(number, values, color=OURS, label=watched.replace("_", " "))
        right.plot(
            number[best], values[best], "o", color=OURS, label=f"best: epoch {number[best]:g}, {values[best]:.4f}"
        )
        right.set_ylabel(watched.replace("_", " "))
    figure.legend(loc="upper center", bbox_to_anchor=(0.5, 1.04), ncols=3, frameon=False)
    return figure


def watched_metric(names: list[str], metric: str) -> str | None:
    """The one that the recipe chooses by, or else the first."""
    return next((name for name in names if name.removeprefix("val_") == metric), names[0] if names else None)


def baselines(metrics: Mapping[str, Any], metric: str) -> Figure:
    rows = {name: figures[metric] for name, figures in metrics["baselines"].items() if metric in figures}
    own = own_figure(metrics, metric)
    rows = dict(sorted(rows.items(), key=lambda row: row[1], reverse=metric in ERRORS)) | {"this model": own}
    figure = Figure(figsize=(6.4, 0.8 + 0.36 * len(rows)))
    axes = figure.subplots()
    axes.barh(list(rows), list(rows.values()), color=[OTHER] * (len(rows) - 1) + [OURS], height=0.6)
    if metric in metrics["intervals"]:
        whiskers(axes, [own], ["this model"], [metrics["intervals"][metric]])
    for place, value in enumerate(rows.values()):
        axes.text(1.02, place, f"{value:.4f}", transform=axes.get_yaxis_transform(), va="center")
    axes.set_xlabel(metric)
    return figure


def segments(metrics: Mapping[str, Any], metric: str) -> Figure:
    """A row per group; the dashed line is the figure of all users."""
    rows = [
        (f"{attribute}: {name} ({part['users']:,})", part["metrics"][metric], part["intervals"][metric])
        for attribute, groups in metrics["segments"].items()
        for name, part in groups.items()
        if metric in part["metrics"]
    ]
    labels, values, intervals = zip(*reversed(rows))
    figure = Figure(figsize=(6.4, 0.8 + 0.26 * len(rows)))
    axes = figure.subplots()
    whiskers(axes, values, labels, intervals, marker="o")
    own = own_figure(metrics, metric)
    axes.axvline(own, color=OTHER, linestyle="--", linewidth=1)
    axes.set_xlabel(f"{metric}, with 95 % intervals; dashed: all users")
    return figure


def own_figure(metrics: Mapping[str, Any], metric: str) -> float:
    return next(part[metric] for part in metrics["metrics"].values() if metric in part)


def whiskers(
    axes: Axes, values: Sequence[float], labels: Sequence[str], intervals: Sequence[Sequence[float]], marker: str = ""
) -> None:
    reach = [[max(value - low, 0), max(high - value, 0)] for value, (low, high) in zip(values, intervals)]
    axes.errorbar(
        values,
        labels,
        xerr=list(zip(*reach)),
        fmt=marker,
        color=OURS,
        ecolor=INK,
        capsize=3,
        markersize=5,
        linestyle="",
    )
