"""Columns on their way into a feature table: raw values with what normalises them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rankd_train.data.features import Codes, Feature, FeatureTable
from rankd_train.data.normalise import Normaliser, apply

OTHER = "other"


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # as in `Feature`
    raw: np.ndarray | Sequence[Sequence[str]]  # [rows] numbers, NaN where unknown, or lists of labels
    normaliser: Normaliser
    default: float | None = None  # in [0, 1]; the mean of the known values if not given


def table_of(rows: int, columns: list[Column], codes: dict[str, Codes]) -> FeatureTable:
    values = np.zeros((rows, len(columns)), dtype=np.float32)
    features = []
    for place, column in enumerate(columns):
        normalised = apply(column.normaliser, column.raw)
        unknown = np.isnan(normalised)
        default = column.default
        if default is None:
            default = 0.0 if unknown.all() else float(normalised[~unknown].mean())
        values[:, place] = np.where(unknown, default, normalised)
        features.append(Feature(column.name, column.kind, default, column.normaliser))
    return FeatureTable(tuple(features), values, codes)


def vocabulary_of(labels: Iterable[Sequence[str]], limit: int) -> tuple[tuple[str, ...], bool]:
    """The `limit` most frequent labels, equal ones by name, and whether there are others."""
    counts = Counter(label for row in labels for label in row if label)
    ordered = sorted(counts, key=lambda label: (-counts[label], label))
    return tuple(ordered[:limit]), len(ordered) > limit


def hot_columns(name: str, labels: Sequence[Sequence[str]], limit: int) -> list[Column]:
    """One column per label, such as `tag=devel`, and one for all the rarer ones."""
    known, others = vocabulary_of(labels, limit)
    columns = [Column(f"{name}={label}", "one-hot", labels, {"kind": "has", "value": label}, 0.0) for label in known]
    if others:
        columns.append(Column(f"{name}={OTHER}", "one-hot", labels, {"kind": "has-other", "known": list(known)}, 0.0))
    return columns


def codes_of(labels: Sequence[str], limit: int) -> Codes:
    """labels: one for each row, "" where unknown. Labels beyond the `limit` most frequent share the last code."""
    known, others = vocabulary_of(([label] for label in labels), limit)
    vocabulary = (*known, OTHER) if others else known
    place = {label: code for code, label in enumerate(known, start=1)}
    codes = [0 if not label else place.get(label, len(vocabulary)) for label in labels]
    return Codes(vocabulary, np.array(codes, dtype=np.int64))
