"""One frozen dataclass per part of a run; `configs/packages.yaml` fills them, and a misspelt key is an error."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from rankd_train.config_loader import from_dict
from rankd_train.errors import ConfigError


@dataclass(frozen=True)
class BundleConfig:
    name: str
    version: str
    description: str


@dataclass(frozen=True)
class DataConfig:
    min_sources_per_item: int = 5
    min_items_per_source: int = 4
    # Nearly every source builds with these: they say nothing about it.
    dropped_items: tuple[str, ...] = ("debhelper-compat", "debhelper", "dpkg-dev", "dh-python")


@dataclass(frozen=True)
class ContentConfig:
    """TF-IDF and truncated SVD over the descriptions of the whole catalogue."""

    dim: int = 48
    max_terms: int = 40_000
    min_packages_per_term: int = 3
    # A term in more than this share of all descriptions says nothing.
    max_share: float = 0.2


@dataclass(frozen=True)
class ItemItemConfig:
    """EASE, cut to the strongest neighbours of each item."""

    l2: float = 30.0
    neighbours: int = 48


@dataclass(frozen=True)
class TowerConfig:
    dim: int = 48
    # What is learned about a single source. Histories and descriptions say most; more numbers only fit the past (docs/log.md).
    user_dim: int = 16
    hidden: int = 256
    temperature: float = 0.07
    # Share of a user's items that is shown as history; the rest is to be guessed. Drawn anew for every user and epoch.
    min_history_share: float = 0.3
    max_history_share: float = 0.9
    # How often a known user is trained as the unknown one (user row 0), so that histories must speak for themselves.
    mask_user: float = 0.9
    dropout: float = 0.3
    # Items drawn as negatives, once for a whole batch.
    negatives: int = 1024
    batch_users: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-5
    max_epochs: int = 60
    patience: int = 5


@dataclass(frozen=True)
class RankerConfig:
    """The hybrid NCF + content network of seed 001."""

    embedding_dim: int = 50
    content_units: int = 64
    fusion_units: tuple[int, ...] = (128, 64, 32)
    section_dim: int = 10
    dropout: float = 0.2
    # Each fold of the training items is once the target, while stage one is fitted on the other folds.
    folds: int = 5
    # How many of the folds serve as targets: each costs one more fit of stage one.
    target_folds: int = 5
    negatives: int = 4
    # Share of the negatives drawn from what stage one retrieved; the rest are drawn from all items.
    hard_negatives: float = 0.75
    # How often a request comes from an unknown user, as all of stage one sees it; drawn once per request.
    mask_user: float = 0.3
    # How often a known user's embedding alone is hidden, drawn in every step: seen at each epoch, it learns the
    # training items by heart (docs/log.md).
    mask_embedding: float = 0.9
    batch_users: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    scheduler_factor: float = 0.5
    scheduler_patience: int = 3
    min_learning_rate: float = 1e-6
    max_epochs: int = 50
    patience: int = 5


@dataclass(frozen=True)
class PipelineConfig:
    """How many candidates each source of `recommend` brings."""

    item_item: int = 150
    towers: int = 150
    popular: int = 50
    k: int = 10
    tower_index: str = "hnsw"


@dataclass(frozen=True)
class EvaluationConfig:
    # Sources asked after each epoch of the ranker; the final figures ask all.
    validation_sources: int = 3_000
    # Scoring every pair of 19,368 sources and 5,435 items takes long: the ranker's full ranking asks a sample.
    full_ranking_sources: int = 3_000
    bootstrap_samples: int = 1_000


@dataclass(frozen=True)
class RunConfig:
    bundle: BundleConfig
    seed: int = 0
    # One: a second thread gains little on batches this small, and loses much when other work shares the machine.
    threads: int = 1
    data: DataConfig = field(default_factory=DataConfig)
    content: ContentConfig = field(default_factory=ContentConfig)
    item_item: ItemItemConfig = field(default_factory=ItemItemConfig)
    tower: TowerConfig = field(default_factory=TowerConfig)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


def load_config(path: Path) -> RunConfig:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    return from_dict(RunConfig, values)
