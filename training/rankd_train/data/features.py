"""What is known of users and items, as numbers in [0, 1] and as codes to embed."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Feature:
    """One column: how it was made, and how a value is brought to [0, 1] again while serving."""

    name: str
    kind: str  # "number", "share", "count", "cycle", "one-hot", "tf-idf"
    default: float  # in [0, 1], for what is unknown
    normaliser: dict[
        str, Any
    ]  # such as {"kind": "log1p", "scale": 5.2} or {"kind": "min-max", "low": 0.0, "high": 9.5}


@dataclass(frozen=True)
class Codes:
    """A categorical attribute to embed; code 0 is "unknown"."""

    vocabulary: tuple[str, ...]  # of code 1 and up
    codes: np.ndarray  # [rows] int64


@dataclass(frozen=True)
class FeatureTable:
    """Of users, or of items."""

    columns: tuple[Feature, ...]
    values: np.ndarray  # [rows, len(columns)] float32 in [0, 1]
    codes: dict[str, Codes]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Features:
    """Computed from the training events and the catalogue alone; rows as in `Users` and `Items`."""

    user: FeatureTable
    item: FeatureTable
