"""What a recipe says about its data: where they come from, how they are cleaned, cut and described."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class TableConfig:
    """A user's own file of interactions, CSV or Parquet, one event a row; the names are those of its columns."""

    path: str  # relative to the recipe's file
    user: str = "user"
    item: str = "item"
    value: str | None = None  # a rating or a weight; 1 without it
    time: str | None = None  # Unix seconds or milliseconds, or ISO 8601
    kind: str | None = None  # view, purchase, …; `data.weights` says what each counts
    explicit: bool = False  # `value` is an opinion, not a weight
    # Whole numbers stay numbers in requests, too. A column that has both is an error unless this says text.
    ids: Literal["auto", "text"] = "auto"
    items: "ItemTableConfig | None" = None
    users: "UserTableConfig | None" = None


@dataclass(frozen=True)
class ItemTableConfig:
    """What is known of the items, a row each."""

    path: str
    id: str = "item"
    text: tuple[str, ...] = ()  # columns, joined
    categories: str | None = None
    tags: str | None = None
    separator: str = "|"  # between several categories or tags
    price: str | None = None
    created: str | None = None


@dataclass(frozen=True)
class UserTableConfig:
    path: str
    id: str = "user"
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CleaningConfig:
    """In this order, each step once; each tells how many events it took."""

    dropped_items: tuple[str, ...] = ()
    value_range: tuple[float, float] | None = None  # values outside are dropped
    duplicates: Literal["last", "sum", "keep"] = "last"  # of the same user and item
    outlier_events: int = 0  # a user with more events than this is no person; 0 = no bound
    # 0 keeps items of the catalogue that nobody met. An item that loses its events to the next step alone stays, too.
    min_events_per_item: int = 1
    min_events_per_user: int = 3


@dataclass(frozen=True)
class DataConfig:
    """A set that the package knows, or a table; the feedback that rankd logged alone, or added to either."""

    set: str | None = None  # debian-packages, gowalla, ml-1m-ncf, ml-100k
    table: TableConfig | None = None
    feedback: str | None = None  # folder of rankd's event log
    weights: Mapping[str, float] = field(default_factory=dict)  # what an event of each kind counts; 1 unless said
    cleaning: CleaningConfig | None = None  # as the known set was published, else the defaults of CleaningConfig
    allow_other: bool = False  # other files of a known set than the ones whose checksums are known


@dataclass(frozen=True)
class SplitConfig:
    # auto: as published, else by time, else, where no times are known, at random.
    kind: Literal["auto", "temporal", "random", "leave-one-out", "given"] = "auto"
    # Shares of train, validation and test; of a given split the second is what validation takes of the training part.
    ratios: tuple[float, float, float] = (0.7, 0.1, 0.2)
    # Whether each user's events are cut, or all events at one moment. Leave-one-out always cuts by user.
    by_user: bool = True
    # Fit again on train and validation, with what validation chose, before the test part is read.
    refit: bool = True


@dataclass(frozen=True)
class FeatureConfig:
    """Which features of seeds 001 and 003 are made; those whose source a set does not have are left out."""

    text_dim: int = 48  # TF-IDF of item texts, cut by truncated SVD; 0 = none
    max_terms: int = 20_000
    max_categories: int = 200  # one-hot columns; rarer ones are "other"
    max_tags: int = 200
    trending_days: int = 30
