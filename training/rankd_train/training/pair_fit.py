"""Fits a pair network: by validation where there is one, else as an earlier fit chose."""

from typing import Any

from rankd_train.errors import ConfigError
from rankd_train.models.pair_network import PairNetwork
from rankd_train.models.recommender import FitOptions, TrainingSet
from rankd_train.training.loop import Plan, Trained, train
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.pair_task import PairTask, PairTraining


def fit_network(
    name: str,
    network: PairNetwork,
    training: PairTraining,
    optimiser: OptimiserConfig,
    data: TrainingSet,
    options: FitOptions,
) -> Trained:
    """Leaves the trained weights in `network`; checkpoints go below `options.folder`, and choices are read, by `name`."""
    plan = None
    if data.validation is None:
        if name not in options.choices:
            raise ConfigError(
                f"{name} chooses its number of epochs by validation, and there is no validation event: enlarge split.ratios[1]"
            )
        plan = Plan(options.choices[name]["epochs"], tuple(options.choices[name]["levels"]))
    task = PairTask(name, network, data, training, optimiser.batch_size, options.seed)
    trained = train(task, optimiser, options.folder / name, plan, options.resume)
    network.cpu()
    return trained


def choices_of(trained: dict[str, Trained]) -> dict[str, Any]:
    """For `FitOptions.choices` of the final fit."""
    plans = {name: run.plan() for name, run in trained.items()}
    return {name: {"epochs": plan.epochs, "levels": list(plan.levels)} for name, plan in plans.items()}
