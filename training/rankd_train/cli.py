"""The command line: parses, and calls. `rankd-train --help` lists the commands."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rankd_train.errors import TrainError

EXIT_CODES = """\
exit codes: 0 success, 1 a step failed, 2 wrong recipe or usage, 3 the data set is missing or another one,
4 PyTorch, TorchScript, ONNX Runtime and the engine disagree, 5 the data cannot be used,
6 the test items have been read with other weights, 130 interrupted"""


def main(arguments: list[str] | None = None) -> int:
    options = make_parser().parse_args(arguments)
    try:
        options.command(options)
    except TrainError as error:
        print(f"rankd-train: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("rankd-train: interrupted", file=sys.stderr)
        return 130
    return 0


def make_parser() -> argparse.ArgumentParser:
    # The heavy imports (torch, scikit-learn) wait until a command needs them, so that --help answers at once.
    parser = argparse.ArgumentParser(
        prog="rankd-train",
        description="Trains, evaluates and publishes the bundles that rankd serves.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data = add(commands, "data", "read, clean and check the data, and print a report")
    data.add_argument("--json", action="store_true", help="print the report as JSON")

    run = add(commands, "run", "train, choose by validation, and read the test items once")
    run.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    run.add_argument("--no-test", action="store_true", help="leave the test items unread: while you still choose")
    run.add_argument("--again", action="store_true", help="read the test items although other weights met them before")
    run.add_argument("--publish", type=Path, metavar="MODELS", help="publish into this model repository afterwards")

    evaluate = add(commands, "evaluate", "ask the last run again, and print its figures")
    evaluate.add_argument("--part", choices=("validation", "test"), default="test", help="which items (default: test)")
    evaluate.add_argument(
        "--again", action="store_true", help="read the test items although other weights met them before"
    )
    evaluate.add_argument("--json", action="store_true", help="print metrics.json")

    export = add(commands, "export", "write the last run as a bundle and have the engine verify it")
    export.add_argument("--out", type=Path, metavar="FOLDER", help="default: bundle, in the run's folder")

    publish = add(commands, "publish", "export the last run into a model repository and name it champion")
    publish.add_argument("--models", type=Path, required=True, help="the model repository, such as models")
    publish.add_argument("--replace", action="store_true", help="replace this version if it is there already")

    results = commands.add_parser("results", help="write docs/results.md from the logs of runs")
    results.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs whose logs are taken over")
    results.add_argument("--logs", type=Path, required=True, help="folder where logs are kept")
    results.add_argument("--out", type=Path, required=True, help="the page")
    results.set_defaults(command=command("results"))
    return parser


def add(commands: argparse._SubParsersAction, name: str, what: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what)
    parser.add_argument("recipe", type=Path, help="recipe file, such as configs/ease-gowalla.yaml")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs and caches (default: runs)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value for a key of the recipe, such as model.l2=300; may stand several times",
    )
    parser.set_defaults(command=command(name))
    return parser


def command(name: str) -> Callable[[argparse.Namespace], None]:
    def call(options: argparse.Namespace) -> None:
        from rankd_train import commands

        getattr(commands, f"run_{name}")(options)

    return call
