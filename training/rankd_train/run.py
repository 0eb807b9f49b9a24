"""A recipe from data to a fitted model. `open_run` and `train` are read first: the rest are their steps."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

from rankd_train.data.feature_tables import make_features
from rankd_train.data.features import Features
from rankd_train.data.interactions import Events
from rankd_train.data.load import load_interactions
from rankd_train.data.loaded import Loaded
from rankd_train.data.split import Split
from rankd_train.data.splitting import make_split
from rankd_train.errors import TrainError
from rankd_train.models.recommender import Family, FitOptions, Fitted, Recommender, TrainingSet
from rankd_train.models.registry import find_family
from rankd_train.progress import step
from rankd_train.recipe_config import RecipeConfig

T = TypeVar("T")

CHOICE, FINAL = "choice", "final"  # fitted on the training part; fitted on training and validation
VALIDATION, TEST, LOG = "validation.json", "metrics.json", "run.json"  # the figures of the last fit, see measure.py


@dataclass(frozen=True)
class Run:
    """One recipe and its data, with a folder for what comes of it."""

    name: str  # the recipe's file without its ending
    recipe: RecipeConfig
    family: Family
    folder: Path
    loaded: Loaded
    split: Split
    seconds: dict[str, float] = field(default_factory=dict)  # by step, as they are done

    def timed(self, key: str, what: str, work: Callable[[], T]) -> T:
        started = time.monotonic()
        with step(what):
            result = work()
        self.seconds[key] = round(time.monotonic() - started, 1)
        return result


def open_run(name: str, recipe: RecipeConfig, runs: Path) -> Run:
    """Reads, cleans and cuts the data; the same recipe gives the same parts each time."""
    torch.set_num_threads(recipe.threads)
    with step("reading the data"):
        loaded = load_interactions(recipe.data, Path(recipe.folder), runs / "cache")
        split = make_split(loaded, recipe.split, recipe.seed)
    return Run(name, recipe, find_family(recipe.family), runs / name, loaded, split)


def train(run: Run, resume: bool = False) -> None:
    """Fits on the training part and chooses by validation; then, unless the recipe says otherwise, fits on both."""
    title = run.family.title
    for figures in (VALIDATION, TEST, LOG):
        (run.folder / figures).unlink(missing_ok=True)  # of other weights: nobody may publish the new ones with them
    if not resume:
        for stage in (CHOICE, FINAL):
            shutil.rmtree(run.folder / stage, ignore_errors=True)  # of an earlier run: whoever resumes must not meet it
    chosen = run.timed("fit", f"fitting {title}", lambda: fit(run, CHOICE, resume=resume))
    save(run, CHOICE, chosen)
    if run.recipe.split.refit and len(run.split.validation) > 0:
        what = f"fitting {title} on training and validation"
        final = run.timed("refit", what, lambda: fit(run, FINAL, chosen.choices, resume))
        save(run, FINAL, final)


def fit(run: Run, stage: str, choices: dict[str, Any] | None = None, resume: bool = False) -> Fitted:
    options = FitOptions(run.recipe.seed, run.recipe.threads, run.folder / stage, choices or {}, resume)
    return run.family.fit(run.recipe.model, training_set(run, stage), options)


def training_set(run: Run, stage: str) -> TrainingSet:
    """What a model may see: in the final stage validation items are learned from, and nothing is left to choose by."""
    split = run.split
    events = split.train if stage == CHOICE else Events.joined(split.train, split.validation)
    features = features_of(run.recipe, split, events)
    watched = split.validation if stage == CHOICE and len(split.validation) > 0 else None
    negatives = None if watched is None else split.validation_negatives
    return TrainingSet(split.users, split.items, events, split.explicit, features, watched, negatives)


def features_of(recipe: RecipeConfig, split: Split, events: Events) -> Features:
    return make_features(split.users, split.items, events, recipe.features, recipe.seed)


# --- what a run keeps ---


def save(run: Run, stage: str, fitted: Fitted) -> None:
    folder = run.folder / stage
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(fitted.model.state(), folder / "model.pt")
    write_json(folder / "training_history.json", {"choices": fitted.choices, "epochs": fitted.history})


def last_stage(run: Run) -> str:
    """The stage whose model is the run's result."""
    for stage in (FINAL, CHOICE):
        if (run.folder / stage / "model.pt").is_file():
            return stage
    raise TrainError(f"{run.folder} has no fitted model: `rankd-train run` makes one")


def load_model(run: Run, stage: str, training: TrainingSet) -> Recommender:
    path = run.folder / stage / "model.pt"
    try:
        return run.family.restore(run.recipe.model, training, torch.load(path, weights_only=True))
    except FileNotFoundError as error:
        raise TrainError(f"{path} is not there: `rankd-train run` makes it") from error
    except (RuntimeError, KeyError, ValueError) as error:
        raise TrainError(f"{path} was fitted by another recipe than {run.name} is now: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainError(f"cannot read {path}: `rankd-train run` makes it") from error


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
