"""The command line: parses, seeds, calls. `python -m rankd_train --help` lists the commands."""

import argparse
import json
import sys
from pathlib import Path

from rankd_train.config import RunConfig, load_config
from rankd_train.errors import TrainError

EXIT_CODES = """\
exit codes: 0 success, 1 a step failed, 2 wrong configuration or usage, 3 the data set is missing or another one,
4 PyTorch, TorchScript, ONNX Runtime and the engine disagree"""


def main(arguments: list[str] | None = None) -> int:
    options = make_parser().parse_args(arguments)
    try:
        config = load_config(options.config)
        options.command(config, options)
    except TrainError as error:
        print(f"rankd_train: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("rankd_train: interrupted", file=sys.stderr)
        return 130
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rankd_train",
        description="Trains, evaluates and publishes the bundles that rankd serves.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add(commands, "data", "read and check the data set, print its counts", run_data)
    run = add(
        commands, "run", "do everything: data, training, evaluation, and the bundle when --publish is given", run_all
    )
    run.add_argument("--publish", type=Path, metavar="MODELS", help="model repository to publish the bundle into")
    add(commands, "evaluate", "evaluate the last run again and print metrics.json", run_evaluate)
    export = add(commands, "export", "publish the last run as a bundle", run_export)
    export.add_argument(
        "--publish", type=Path, metavar="MODELS", required=True, help="model repository to publish into"
    )
    return parser


def add(commands: argparse._SubParsersAction, name: str, what: str, command) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what)
    parser.add_argument("config", type=Path, help="configuration file, such as configs/packages.yaml")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder of checkpoints and caches (default: runs)"
    )
    parser.add_argument(
        "--allow-other-snapshot", action="store_true", help="accept another snapshot of the data set than the known one"
    )
    parser.set_defaults(command=command)
    return parser


# The heavy imports (torch, Lightning) wait until a command needs them, so that --help answers at once.


def run_data(config: RunConfig, options: argparse.Namespace) -> None:
    from rankd_train.data.source_items import build_source_items
    from rankd_train.dataset import describe, read_snapshot

    archive, sha256 = read_snapshot(options.runs, options.allow_other_snapshot)
    for name, digest in sha256.items():
        print(f"{digest}  {name}")
    print(describe(archive, build_source_items(archive.sources, config.data)))


def run_all(config: RunConfig, options: argparse.Namespace) -> None:
    from rankd_train.artefact import save_artefact
    from rankd_train.dataset import load_dataset
    from rankd_train.evaluation.package_report import evaluate
    from rankd_train.export.native_tool import NativeTool
    from rankd_train.export.packages.bundle import publish, write_json
    from rankd_train.recipe import train

    if options.publish:
        NativeTool.find()  # better to miss it now than after the training
    folder = run_folder(config, options)
    data = load_dataset(config, options.runs, options.allow_other_snapshot)
    trained = train(config, data, folder)
    save_artefact(trained.artefact, folder / "artefact.pt")
    write_json(folder / "training_history.json", trained.history)
    metrics = evaluate(config, data, trained.artefact)
    write_json(folder / "metrics.json", metrics)
    print(summary(metrics))
    if options.publish:
        print(f"published {publish(config, data, trained.artefact, metrics, trained.history, options.publish)}")


def run_evaluate(config: RunConfig, options: argparse.Namespace) -> None:
    from rankd_train.artefact import load_artefact
    from rankd_train.dataset import load_dataset
    from rankd_train.evaluation.package_report import evaluate
    from rankd_train.export.packages.bundle import write_json

    folder = run_folder(config, options)
    artefact = load_artefact(folder / "artefact.pt", config)
    data = load_dataset(config, options.runs, options.allow_other_snapshot)
    metrics = evaluate(config, data, artefact)
    write_json(folder / "metrics.json", metrics)
    print(json.dumps(metrics, indent=2))


def run_export(config: RunConfig, options: argparse.Namespace) -> None:
    from rankd_train.artefact import load_artefact
    from rankd_train.dataset import load_dataset
    from rankd_train.export.packages.bundle import publish

    folder = run_folder(config, options)
    artefact = load_artefact(folder / "artefact.pt", config)
    metrics, history = (read_json(folder / f"{name}.json") for name in ("metrics", "training_history"))
    data = load_dataset(config, options.runs, options.allow_other_snapshot)
    print(f"published {publish(config, data, artefact, metrics, history, options.publish)}")


def run_folder(config: RunConfig, options: argparse.Namespace) -> Path:
    return options.runs / f"{config.bundle.name}-{config.bundle.version}"


def read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainError(f"cannot read {path}: run `python -m rankd_train run` first") from error


def summary(metrics: dict) -> str:
    rows = {
        **metrics["baselines"],
        **metrics["full_ranking"],
        **{key: metrics[key] for key in ("served", "served_history_only")},
    }
    lines = [f"  {name:20} HR@10 {row['hr@10']:.4f}  NDCG@10 {row['ndcg@10']:.4f}" for name, row in rows.items()]
    return "\n".join(["test figures:", *lines])


if __name__ == "__main__":
    sys.exit(main())
