"""One frozen dataclass per part of the model; `configs/packages.yaml` fills them."""

from dataclasses import dataclass, field
from typing import Literal

from rankd_train.errors import ConfigError
from rankd_train.models.bounds import check_bounds
from rankd_train.models.content import ContentConfig


@dataclass(frozen=True)
class ItemItemConfig:
    """EASE, cut to the strongest neighbours of each item."""

    l2: float = 30.0
    neighbours: int = 48

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("l2", "neighbours"), group="item_item.")


@dataclass(frozen=True)
class TowerConfig:
    dim: int = 48
    # What is learned about a single user. Histories and descriptions say most; more numbers only fit the past (docs/log.md).
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

    def __post_init__(self) -> None:
        above_zero = ("dim", "user_dim", "hidden", "temperature", "negatives", "batch_users", "learning_rate")
        above_zero = (*above_zero, "max_epochs")
        check_bounds(self, above_zero, not_negative=("weight_decay", "patience"), group="tower.")
        if not 0 <= self.min_history_share <= self.max_history_share <= 1:
            raise ConfigError(
                '"model.tower.min_history_share" and "max_history_share" must be shares, the smaller one first, '
                f"got {self.min_history_share} and {self.max_history_share}"
            )


@dataclass(frozen=True)
class RankerConfig:
    """The hybrid NCF + content network of seed 001."""

    embedding_dim: int = 50
    content_units: int = 64
    fusion_units: tuple[int, ...] = (128, 64, 32)
    category_dim: int = 10
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
    # Held-out items asked for after each epoch; the final figures ask for all.
    validation_users: int = 3_000

    def __post_init__(self) -> None:
        above_zero = ("embedding_dim", "content_units", "category_dim", "negatives", "batch_users", "learning_rate")
        above_zero = (*above_zero, "max_epochs", "target_folds", "validation_users")
        check_bounds(self, above_zero, not_negative=("weight_decay", "patience"), group="ranker.")
        if self.folds < 2 or self.target_folds > self.folds:
            raise ConfigError(
                '"model.ranker.folds" must be 2 or more, and "target_folds" no more than that, '
                f"got {self.folds} and {self.target_folds}"
            )
        if not self.fusion_units:
            raise ConfigError('"model.ranker.fusion_units" must name one layer at least, such as [128, 64, 32]')
        if not 0 <= self.hard_negatives <= 1:
            raise ConfigError(f'"model.ranker.hard_negatives" must be a share, got {self.hard_negatives}')


@dataclass(frozen=True)
class CandidateConfig:
    """How many candidates each source of `recommend` brings."""

    item_item: int = 150
    towers: int = 150
    popular: int = 50
    tower_index: Literal["hnsw", "exact_f32", "exact_i8"] = "hnsw"

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("item_item", "towers", "popular"), group="candidates.")


@dataclass(frozen=True)
class TwoStageConfig:
    content: ContentConfig = field(default_factory=ContentConfig)
    item_item: ItemItemConfig = field(default_factory=ItemItemConfig)
    tower: TowerConfig = field(default_factory=TowerConfig)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    candidates: CandidateConfig = field(default_factory=CandidateConfig)

    def __post_init__(self) -> None:
        check_bounds(self.content, ("dim", "max_terms", "min_texts_per_term", "max_share"), group="content.")
