"""The training run, step by step: sources of candidates first, then the ranker that reads their scores."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from rankd_train.artefact import Artefact, make_artefact
from rankd_train.config import RankerConfig, RunConfig, TowerConfig
from rankd_train.dataset import Dataset
from rankd_train.evaluation.served import CandidateSet, candidates_of
from rankd_train.models.ease import ease_weights
from rankd_train.models.neighbours import Neighbours, strongest
from rankd_train.models.ranker import Ranker, normalised_popularity
from rankd_train.models.stage_one import StageOne, TowerTables
from rankd_train.models.two_tower import TwoTower
from rankd_train.progress import step
from rankd_train.training import loop
from rankd_train.training.folds import fold_training_items
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.ranker_examples import RankerExamples, concatenate, examples_of_fold
from rankd_train.training.ranker_task import RankerTask
from rankd_train.training.tower_task import TowerTask


@dataclass(frozen=True)
class Trained:
    artefact: Artefact
    history: dict[str, Any]  # by model: {"best_epoch", "epochs": the metrics of each}


def train(config: RunConfig, data: Dataset, folder: Path) -> Trained:
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    split = data.split
    popularity = split.popularity
    with step("fitting EASE"):
        neighbours = fit_neighbours(config, split.train)
    with step("training the towers"):
        towers, tower_fit = train_towers(config, data, folder / "towers")
    serving = stage_one_of(config, neighbours, towers, popularity)
    examples = make_examples(config, data, epochs=tower_fit.best_epoch + 1)
    with step("training the ranker"):
        ranker, ranker_fit = train_ranker(
            config, data, examples, validation_set(config, data, serving), folder / "ranker"
        )
    fits = {"towers": tower_fit, "ranker": ranker_fit}
    return Trained(
        make_artefact(towers, ranker, neighbours, popularity),
        {name: {"best_epoch": fitted.best_epoch, "epochs": fitted.history} for name, fitted in fits.items()},
    )


def fit_neighbours(config: RunConfig, interactions: sp.csr_matrix) -> Neighbours:
    return strongest(ease_weights(interactions, config.item_item.l2), config.item_item.neighbours)


def train_towers(config: RunConfig, data: Dataset, folder: Path) -> tuple[TwoTower, loop.Trained]:
    """Stops by recall@100 of the validation items."""
    towers = new_towers(config, data)
    task = TowerTask(towers, data.split.train, data.split.validation, config.seed)
    fitted = loop.train(task, tower_optimiser(config.tower), folder)
    return towers, fitted


def new_towers(config: RunConfig, data: Dataset) -> TwoTower:
    trained = data.catalogue.trained_count
    return TwoTower(config.tower, torch.from_numpy(data.user_content), torch.from_numpy(data.content[:trained]))


def stage_one_of(config: RunConfig, neighbours: Neighbours, towers: TwoTower, popularity: np.ndarray) -> StageOne:
    with torch.no_grad():
        tables = TowerTables(
            towers.user_tower.eval(),
            towers.user_embedding.weight.detach(),
            towers.user_content,
            towers.history_embedding.weight.detach(),
            towers.item_vectors(),
        )
    popular = np.argsort(-popularity, kind="stable").astype(np.uint32)
    return StageOne(neighbours.matrix(), tables, popular, config.pipeline)


def make_examples(config: RunConfig, data: Dataset, epochs: int) -> RankerExamples:
    """Fits stage one without each fold in turn and lets it score that fold; see training/folds.py."""
    folds = fold_training_items(data.split, config.ranker.folds, config.seed)[: config.ranker.target_folds]
    parts = []
    for number, fold in enumerate(folds):
        with step(f"stage one without fold {number + 1} of {len(folds)}"):
            neighbours = fit_neighbours(config, fold.history)
            towers = new_towers(config, data)
            task = TowerTask(towers, fold.history, data.split.validation, config.seed + number)
            loop.train(task, tower_optimiser(config.tower), plan=loop.Plan(epochs))
            stage_one = stage_one_of(config, neighbours, towers, np.asarray(fold.history.sum(axis=0)).ravel())
            parts.append(examples_of_fold(stage_one, fold, data.split, config.ranker, config.seed + number))
    return concatenate(parts)


def validation_set(config: RunConfig, data: Dataset, stage_one: StageOne) -> CandidateSet:
    """What the served pipeline would rank for a sample of users; their validation items are the targets."""
    rng = np.random.default_rng(config.seed)
    count = min(config.evaluation.validation_sources, len(data.split.users))
    users = np.sort(rng.choice(len(data.split.users), size=count, replace=False))
    return candidates_of(stage_one, torch.from_numpy(users + 1), data.split.train[users], data.split.validation[users])


def train_ranker(
    config: RunConfig, data: Dataset, examples: RankerExamples, validation: CandidateSet, folder: Path
) -> tuple[Ranker, loop.Trained]:
    """Stops by NDCG@10 of the validation items among what stage one retrieves."""
    trained = data.catalogue.trained_count
    ranker = Ranker(
        config.ranker,
        torch.from_numpy(data.user_content),
        torch.from_numpy(data.content[:trained]),
        torch.from_numpy(data.catalogue.section[:trained].astype(np.int64)),
        torch.from_numpy(normalised_popularity(data.split.popularity)),
    )
    task = RankerTask(ranker, config.ranker, examples, validation, config.seed)
    return ranker, loop.train(task, ranker_optimiser(config.ranker), folder)


def tower_optimiser(config: TowerConfig) -> OptimiserConfig:
    return OptimiserConfig(
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        schedule="none",
        clip_norm=0,
        max_epochs=config.max_epochs,
        patience=config.patience,
    )


def ranker_optimiser(config: RankerConfig) -> OptimiserConfig:
    return OptimiserConfig(
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        plateau_factor=config.scheduler_factor,
        plateau_patience=config.scheduler_patience,
        min_learning_rate=config.min_learning_rate,
        clip_norm=0,
        max_epochs=config.max_epochs,
        patience=config.patience,
    )
