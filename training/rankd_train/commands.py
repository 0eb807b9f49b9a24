"""What each command of `rankd-train` does: opens the run, calls its steps, prints what came of it."""

import argparse
import json
import shlex
from pathlib import Path

from rankd_train.bundling import export_run
from rankd_train.data.splitting import split_kind
from rankd_train.data.validation import as_text, split_report
from rankd_train.evaluation.summary import terminal_table
from rankd_train.export.native_tool import NativeTool
from rankd_train.export.publish import find_place, publish
from rankd_train.measure import keep_log, measure_test, measure_validation
from rankd_train.recipe_config import load_recipe
from rankd_train.results import collect_logs, write_results
from rankd_train.run import Run, open_run, train


def run_data(options: argparse.Namespace) -> None:
    run = opened(options)
    report = {**run.loaded.report, "sha256": run.loaded.sha256, "split": split_report(run.split)}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        kind = split_kind(run.loaded, run.recipe.split)
        print(f"{as_text(run.loaded.report)}\n\nsplit ({kind})\n{as_text(report['split'], '  ')}")


def run_run(options: argparse.Namespace) -> None:
    run = opened(options)
    if options.publish:
        # Better to miss either now than after the training.
        NativeTool.find()
        find_place(options.publish, run.recipe.bundle.name, run.recipe.bundle.version)
    train(run, options.resume)
    print(terminal_table(measure_validation(run)))
    if options.no_test:
        return
    metrics = measure_test(run, options.again)
    keep_log(run, metrics, command_of(options))
    print(terminal_table(metrics))
    if options.publish:
        print(f"published {publish(export_run(run, run.folder / 'bundle'), options.publish)}")


def run_evaluate(options: argparse.Namespace) -> None:
    run = opened(options)
    metrics = measure_validation(run) if options.part == "validation" else measure_test(run, options.again)
    print(json.dumps(metrics, indent=2) if options.json else terminal_table(metrics))


def run_export(options: argparse.Namespace) -> None:
    run = opened(options)
    print(f"exported {export_run(run, options.out or run.folder / 'bundle')}")


def run_publish(options: argparse.Namespace) -> None:
    run = opened(options)
    find_place(options.models, run.recipe.bundle.name, run.recipe.bundle.version, options.replace)
    print(f"published {publish(export_run(run, run.folder / 'bundle'), options.models, options.replace)}")


def run_results(options: argparse.Namespace) -> None:
    write_results(collect_logs(options.runs, options.logs), options.out)
    print(f"wrote {options.out}")


def opened(options: argparse.Namespace) -> Run:
    return open_run(options.recipe.stem, load_recipe(options.recipe, options.set), options.runs)


def command_of(options: argparse.Namespace) -> str:
    """As somebody would type it again, the recipe by its place among ours if it is one of them."""
    recipe = (
        Path("configs") / options.recipe.name if options.recipe.parent.name == "configs" else Path(options.recipe.name)
    )
    changes = [part for change in options.set for part in ("--set", change)]
    return shlex.join(["rankd-train", "run", str(recipe), *changes])
