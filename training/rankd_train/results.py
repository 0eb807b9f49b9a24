"""docs/results.md: our figures beside the published ones, from the logs that runs left."""

import json
import shutil
from pathlib import Path
from typing import Any

from rankd_train.errors import TrainError

PAGE = """\
# Results

Made by `rankd-train results` from the run logs in `training/results/`; nothing here is typed by hand. A row is one recipe.
Every choice was made on validation items, the model was fitted again on training and validation items, and the test items
were read once. In brackets the 95 % interval of the bootstrap over users. "Published" is the figure of the source that the
last column names, on the same split and metric.

{sections}
## Where and how

{runs}"""

TABLE_HEAD = """\
| model | metric | here | published | source |
|---|---|---:|---:|---|
"""

RUNS_HEAD = """\
| recipe | command | seed | test users | fit | all | processor |
|---|---|---:|---:|---:|---:|---|
"""


def collect_logs(runs: Path, logs: Path) -> list[Path]:
    """Copies the log of every finished run to `logs`, under the recipe's name; returns what `logs` then holds."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in sorted(runs.glob("*/run.json")):
        shutil.copyfile(log, logs / f"{log.parent.name}.json")
    kept = sorted(logs.glob("*.json"))
    if not kept:
        raise TrainError(f"neither {runs} nor {logs} has a log of a run: `rankd-train run RECIPE` leaves one")
    return kept


def write_results(logs: list[Path], out: Path) -> None:
    runs = [read_log(log) for log in logs]
    runs.sort(key=lambda run: (run["set"], run["protocol"], run["title"]))
    headings: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        headings.setdefault(f"{run['set']}: {run['protocol']}", []).append(run)
    sections = "".join(
        f"## {heading}\n\n{TABLE_HEAD}{''.join(map(rows_of, group))}\n" for heading, group in headings.items()
    )
    out.write_text(PAGE.format(sections=sections, runs=RUNS_HEAD + "".join(map(run_row, runs))), encoding="utf-8")


def read_log(path: Path) -> dict[str, Any]:
    try:
        return {"recipe": path.stem, **json.loads(path.read_text(encoding="utf-8"))}
    except ValueError as error:
        raise TrainError(f"{path} is not the log of a run: {error}") from error


def rows_of(run: dict[str, Any]) -> str:
    """A row per published metric; without any, one for the metric that the recipe chose by."""
    published = run["published"] or [{"metric": run["choose_by"], "value": None, "source": "–"}]
    return "".join(row_of(run, figure) for figure in published)


def row_of(run: dict[str, Any], figure: dict[str, Any]) -> str:
    metric, value = figure["metric"], figure["value"]
    if metric not in run["test"]:
        known = ", ".join(sorted(run["test"]))
        raise TrainError(f'{run["recipe"]} has no "{metric}" to set beside the published one; it has {known}')
    low, high = run["intervals"].get(metric, (None, None))
    interval = "" if low is None else f" ({low:.4f}-{high:.4f})"
    there = "–" if value is None else f"{value:.4f}"
    name = f"[{run['title']}](models/{run['family']}.md)"
    return f"| {name} | {metric} | {run['test'][metric]:.4f}{interval} | {there} | {figure['source']} |\n"


def run_row(run: dict[str, Any]) -> str:
    seconds = run["seconds"]
    fit = seconds.get("refit", seconds["fit"])
    total = sum(seconds.values())
    processor = run["machine"]["processor"]
    command = f"`{run['command']}`"
    return f"| {run['recipe']} | {command} | {run['seed']} | {run['users']:,} | {fit:.0f} s | {total:.0f} s | {processor} |\n"
