"""Two stages: sources of candidates first, then a ranker that reads their scores. `fit` tells it step by step.

Stage one is EASE (Steck 2019) cut to the strongest neighbours, two towers (Yi et al. 2019) and the list of popular items; the
ranker is the hybrid network of seed 001 (He et al. 2017 beside a content branch)."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.interactions import Events
from rankd_train.errors import ConfigError
from rankd_train.models.ease import ease_weights
from rankd_train.models.neighbours import Neighbours, strongest
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.two_stage.candidates import CandidateSet, candidates_of
from rankd_train.models.two_stage.config import ItemItemConfig, RankerConfig, TowerConfig, TwoStageConfig
from rankd_train.models.two_stage.content import Known, describe
from rankd_train.models.two_stage.examples import RankerExamples, concatenate, examples_of_fold
from rankd_train.models.two_stage.folds import fold_training_items
from rankd_train.models.two_stage.model import TwoStage
from rankd_train.models.two_stage.ranker import Ranker, normalised_popularity
from rankd_train.models.two_stage.ranker_task import RankerTask
from rankd_train.models.two_stage.stage_one import StageOne, TowerTables
from rankd_train.models.two_stage.tables import make_tables, tables_of
from rankd_train.models.two_stage.tower_task import TowerTask
from rankd_train.models.two_stage.towers import TwoTower
from rankd_train.progress import step
from rankd_train.training.loop import Plan, Trained, train
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.pair_fit import choices_of


def fit(config: TwoStageConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    """Without validation both networks repeat the epochs that an earlier fit chose."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    plans = {name: plan_of(name, data, options) for name in ("towers", "ranker")}
    with step("embedding the descriptions"):
        known = describe(data.users, data.items, config.content, options.seed)
    with step("fitting EASE"):
        neighbours = fit_neighbours(config.item_item, data.matrix)
    with step("training the towers"):
        towers = TwoTower(config.tower, known.user, known.item)
        task = TowerTask(towers, data.matrix, data.validation, options.seed)
        folder = options.folder / "towers"
        tower_fit = train(task, tower_optimiser(config.tower), folder, plans["towers"], options.resume)
    stage_one = stage_one_of(config, neighbours, towers, data.popularity)
    examples = make_examples(config, data.matrix, known, tower_fit.plan(), options.seed)
    with step("training the ranker"):
        popularity = torch.from_numpy(normalised_popularity(data.popularity))
        ranker = Ranker(config.ranker, known.user, known.item, known.category, popularity)
        watched = watched_set(config.ranker, data, stage_one, options.seed)
        task = RankerTask(ranker, config.ranker, examples, watched, options.seed)
        folder = options.folder / "ranker"
        ranker_fit = train(task, ranker_optimiser(config.ranker), folder, plans["ranker"], options.resume)
    tables = make_tables(towers, ranker, neighbours, stage_one.popular, known.descriptions)
    choices = choices_of({"towers": tower_fit, "ranker": ranker_fit})
    return Fitted(TwoStage(tables, config.candidates, data), joined_history(ranker_fit, tower_fit), choices)


def plan_of(name: str, data: TrainingSet, options: FitOptions) -> Plan | None:
    if data.validation is not None:
        return None
    if name not in options.choices:
        raise ConfigError(
            f"two-stage chooses the epochs of its {name} by validation, and there is no validation event: "
            "enlarge split.ratios[1]"
        )
    return Plan(options.choices[name]["epochs"], tuple(options.choices[name]["levels"]))


def joined_history(ranker: Trained, towers: Trained) -> list[dict[str, float]]:
    """Epoch by epoch the ranker's figures, and beside them those of the towers, which were trained before."""
    epochs = [{f"towers_{key}": value for key, value in entry.items() if key != "epoch"} for entry in towers.history]
    count = max(len(ranker.history), len(epochs))
    mine = [*ranker.history, *({"epoch": epoch} for epoch in range(len(ranker.history), count))]
    return [entry | beside for entry, beside in zip(mine, epochs + [{}] * (count - len(epochs)))]


# --- stage one ---


def fit_neighbours(config: ItemItemConfig, interactions: sp.csr_matrix) -> Neighbours:
    return strongest(ease_weights(interactions, config.l2), config.neighbours)


def stage_one_of(config: TwoStageConfig, neighbours: Neighbours, towers: TwoTower, popularity: np.ndarray) -> StageOne:
    """popularity: [I] users who met each item."""
    with torch.no_grad():
        tables = TowerTables(
            towers.user_tower.eval(),
            towers.user_embedding.weight.detach(),
            towers.user_content,
            towers.history_embedding.weight.detach(),
            towers.item_vectors(),
        )
    popular = np.argsort(-popularity, kind="stable").astype(np.uint32)
    return StageOne(neighbours.matrix(), tables, popular, config.candidates)


# --- what the ranker learns from ---


def make_examples(config: TwoStageConfig, met: sp.csr_matrix, known: Known, plan: Plan, seed: int) -> RankerExamples:
    """Fits stage one without each fold in turn and lets it score that fold; see folds.py. met: [U, I]; plan: of the towers."""
    folds = fold_training_items(met, config.ranker.folds, seed)[: config.ranker.target_folds]
    parts = []
    for number, fold in enumerate(folds):
        with step(f"stage one without fold {number + 1} of {len(folds)}"):
            neighbours = fit_neighbours(config.item_item, fold.history)
            towers = TwoTower(config.tower, known.user, known.item)
            train(TowerTask(towers, fold.history, None, seed + number), tower_optimiser(config.tower), plan=plan)
            stage_one = stage_one_of(config, neighbours, towers, np.asarray(fold.history.sum(axis=0)).ravel())
            parts.append(examples_of_fold(stage_one, fold, met, config.ranker, seed + number))
    return concatenate(parts)


def watched_set(config: RankerConfig, data: TrainingSet, stage_one: StageOne, seed: int) -> CandidateSet | None:
    """What the served pipeline would rank for a sample of held-out items, each the target of a request of its own."""
    if data.validation is None:
        return None
    events: Events = data.validation
    count = min(config.validation_users, len(events))
    sample = np.sort(np.random.default_rng(seed).choice(len(events), size=count, replace=False))
    users = events.user[sample]
    return candidates_of(stage_one, torch.from_numpy(users + 1), data.matrix[users], events.item[sample])


# --- how weights move ---


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


def restore(config: TwoStageConfig, data: TrainingSet, state: dict[str, Tensor]) -> TwoStage:
    tables = tables_of(state, config)
    known, expected = len(tables.descriptions), len(data.items.whole().ids)
    if known != expected:
        raise ValueError(f"it describes {known:,} items, and the data have {expected:,}")
    return TwoStage(tables, config.candidates, data)


FAMILY = Family(
    name="two-stage",
    title="Two stages: EASE and two towers, ranked by a hybrid network",
    paper="Steck 2019, equation 8; Yi et al. 2019, equation 3; seed 001 after He et al. 2017",
    config=TwoStageConfig,
    fit=fit,
    restore=restore,
)
