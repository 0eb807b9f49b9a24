"""docs/results.md: our figures beside the published ones, from the logs that runs left."""

import json
import shutil
from pathlib import Path
from typing import Any

from rankd_train.errors import TrainError
from rankd_train.evaluation.config import ERRORS

# What a row needs; `measure.keep_log` writes them.
KEYS = (
    "title",
    "family",
    "set",
    "protocol",
    "command",
    "seed",
    "users",
    "test_reads",
    "choose_by",
    "seconds",
    "machine",
)
KEYS += ("test", "intervals", "published")

PAGE = """\
# Results

Made by `rankd-train results` from the run logs in `training/results/`; nothing here is typed by hand. A row is one recipe.
Every choice was made on validation items, the model was fitted again on training and validation items unless its recipe has
`split.refit: false`, and the test items were read once, or by as many models as "test reads" says. In brackets the 95 %
interval of the bootstrap over users. "Published" is the figure of the source that the last column names, on the same split
and metric. Best first. Seconds are what that run took, whatever else the machine did.

{sections}
## Where and how

{runs}"""

RUNS_HEAD = """\
| recipe | command | seed | test users | test reads | fit | all | processor |
|---|---|---:|---:|---:|---:|---:|---|
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
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(f"{run['set']}: {run['protocol']}", []).append(run)
    sections = "".join(f"## {heading}\n\n{table_of(group)}\n" for heading, group in groups.items())
    out.write_text(PAGE.format(sections=sections, runs=RUNS_HEAD + "".join(map(run_row, runs))), encoding="utf-8")


def read_log(path: Path) -> dict[str, Any]:
    try:
        run = {"recipe": path.stem, **json.loads(path.read_text(encoding="utf-8"))}
    except (ValueError, TypeError) as error:
        raise TrainError(f"{path} is not the log of a run: {error}") from error
    missing = [key for key in KEYS if key not in run]
    if missing:
        raise TrainError(
            f'{path} is the log of an older run, without "{missing[0]}": `rankd-train run` makes a new one'
        )
    return run


def table_of(runs: list[dict[str, Any]]) -> str:
    """A row per run, best first; the metrics are those that anybody published, or else what the runs chose by."""
    published = [figure["metric"] for run in runs for figure in run["published"]]
    metrics = list(dict.fromkeys(published or [run["choose_by"] for run in runs]))
    first = metrics[0]
    ordered = sorted(runs, key=lambda run: run["test"].get(first, 0.0), reverse=first not in ERRORS)
    heads = [head for metric in metrics for head in (metric, "published")]
    rows = [["model", *heads, "source"], ["---", *["---:"] * len(heads), "---"]]
    rows += [row_of(run, metrics) for run in ordered]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def row_of(run: dict[str, Any], metrics: list[str]) -> list[str]:
    there = {figure["metric"]: figure for figure in run["published"]}
    cells = [f"[{run['title']}](models/{run['family']}.md)"]
    for metric in metrics:
        cells += [own_figure(run, metric), f"{there[metric]['value']:.4f}" if metric in there else "–"]
    return [*cells, "; ".join(dict.fromkeys(figure["source"] for figure in run["published"])) or "–"]


def own_figure(run: dict[str, Any], metric: str) -> str:
    if metric not in run["test"]:
        known = ", ".join(sorted(run["test"]))
        raise TrainError(f'{run["recipe"]} has no "{metric}" to set beside the published one; it has {known}')
    interval = run["intervals"].get(metric)
    return f"{run['test'][metric]:.4f}" + (f" ({interval[0]:.4f}-{interval[1]:.4f})" if interval else "")


def run_row(run: dict[str, Any]) -> str:
    seconds = run["seconds"]
    cells = [
        run["recipe"],
        f"`{run['command']}`",
        str(run["seed"]),
        f"{run['users']:,}",
        str(run["test_reads"]),
        f"{seconds.get('refit', seconds['fit']):.0f} s",
        f"{sum(seconds.values()):.0f} s",
        run["machine"]["processor"],
    ]
    return f"| {' | '.join(cells)} |\n"
