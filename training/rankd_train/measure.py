"""The figures of a run: by validation as often as one likes, by the test part once; and the log that a run leaves."""

from pathlib import Path
from typing import Any

import numpy as np

from rankd_train.data.splitting import folds, split_kind
from rankd_train.evaluation.baselines import evaluate_baselines
from rankd_train.evaluation.evaluate import Evaluation, EvaluationContext, evaluate
from rankd_train.evaluation.report import metrics_json
from rankd_train.evaluation.summary import flat_metrics
from rankd_train.evaluation.test_guard import open_test_part, weights_hash
from rankd_train.machine import describe_machine
from rankd_train.models.recommender import FitOptions, Recommender, TrainingSet
from rankd_train.progress import step
from rankd_train.run import (
    CHOICE,
    LOG,
    TEST,
    VALIDATION,
    Run,
    features_of,
    last_stage,
    load_model,
    read_json,
    training_set,
    write_json,
)


def measure_validation(run: Run) -> dict[str, Any]:
    """What a choice is made by: the model that has not seen the validation items."""
    training = training_set(run, CHOICE)
    model = load_model(run, CHOICE, training)
    evaluation = run.timed(
        "validation", "asking for the validation items", lambda: ask(run, model, training, "validation")
    )
    metrics = metrics_json(run.recipe.bundle.version, evaluation, {}, run.recipe.evaluation, run.recipe.seed)
    write_json(run.folder / VALIDATION, metrics)
    return metrics


def measure_test(run: Run, again: bool = False) -> dict[str, Any]:
    """Reads the test part, for the model and for every baseline. Raises AlreadyRead if other weights met it before."""
    recipe, stage = run.recipe, last_stage(run)
    training = training_set(run, stage)
    model = load_model(run, stage, training)
    reads = open_test_part(run.folder, weights_hash(model.state()), again)
    evaluation = run.timed("test", "asking for the test items", lambda: ask(run, model, training, "test"))
    baselines = run.timed("baselines", "the baselines", lambda: ask_baselines(run, training))
    metrics = metrics_json(recipe.bundle.version, evaluation, baselines, recipe.evaluation, recipe.seed, reads)
    if recipe.evaluation.folds:
        metrics["folds"] = run.timed("folds", "cross-validation", lambda: cross_validate(run))
    write_json(run.folder / TEST, metrics)
    return metrics


def ask(run: Run, model: Recommender, training: TrainingSet, part: str) -> Evaluation:
    context = EvaluationContext(run.split, part)
    return evaluate(model, context, run.recipe.evaluation, run.recipe.seed)


def ask_baselines(run: Run, training: TrainingSet) -> dict[str, Evaluation]:
    context = EvaluationContext(run.split, "test")
    options = FitOptions(run.recipe.seed, run.recipe.threads, run.folder / "baselines")
    return evaluate_baselines(training, context, run.recipe.evaluation, options, run.recipe.family)


def cross_validate(run: Run) -> dict[str, Any]:
    """Fits anew on each fold's complement with what validation chose; mean over folds, as papers on ratings report it."""
    recipe = run.recipe
    choices = read_json(run.folder / CHOICE / "training_history.json")["choices"]
    figures = []
    for number, split in enumerate(folds(run.loaded, recipe.evaluation.folds, recipe.seed)):
        with step(f"fold {number + 1} of {recipe.evaluation.folds}"):
            features = features_of(recipe, split, split.train)
            training = TrainingSet(split.users, split.items, split.train, split.explicit, features)
            options = FitOptions(recipe.seed, recipe.threads, run.folder / f"fold-{number}", choices)
            model = run.family.fit(recipe.model, training, options).model
            context = EvaluationContext(split, "test")
            figures.append(evaluate(model, context, recipe.evaluation, recipe.seed).metrics)
    names = sorted(set.intersection(*(set(each) for each in figures)))
    return {"count": len(figures), "mean": {name: float(np.mean([each[name] for each in figures])) for name in names}}


def keep_log(run: Run, metrics: dict[str, Any], command: str) -> None:
    """run.json: one row of docs/results.md. Seconds are those of this command."""
    recipe = run.recipe
    test, protocol, intervals = flat_metrics(metrics), recipe.evaluation.protocol, metrics["intervals"]
    if "folds" in metrics:
        test, intervals = metrics["folds"]["mean"], {}
        protocol = f"{protocol}, mean of {metrics['folds']['count']} random folds"
    write_json(
        run.folder / LOG,
        {
            "title": run.family.title,
            "family": recipe.family,
            "set": data_name(run),
            "protocol": f"{protocol}, {split_kind(run.loaded, recipe.split)} split",
            "command": command,
            "seed": recipe.seed,
            "users": metrics["users"],
            "test_reads": metrics["test_reads"],
            "choose_by": recipe.evaluation.choose_by,
            "choices": read_json(run.folder / CHOICE / "training_history.json")["choices"],
            "seconds": run.seconds,
            "machine": describe_machine(),
            "test": test,
            "intervals": intervals,
            "baselines": metrics["baselines"],
            "published": [vars(figure) for figure in recipe.published],
            "sha256": run.loaded.sha256,
        },
    )


def data_name(run: Run) -> str:
    data = run.recipe.data
    table = Path(data.table.path).stem if data.table else None
    return data.set or table or "feedback"
