"""A fitted model in the engine's own terms: what stands in tables, what is searched, what runs as a graph (docs/bundle.md).

Models write this down, `export/` turns it into a bundle, and `export/reference.py` answers requests over it in NumPy, so
that the engine's answers have something to be compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn


@dataclass(frozen=True)
class Column:
    dtype: str  # f32, f16, i8, u32; floats are narrowed by `quantise.NARROW` before anything is compared
    values: np.ndarray  # [rows, width]


@dataclass(frozen=True)
class IndexPart:
    vectors: np.ndarray  # [items, dim] float32, rows as in the catalogue
    kind: str = "exact_f32"  # exact_f32, exact_i8, hnsw
    metric: str = "dot"  # dot, cosine
    options: Mapping[str, Any] = field(default_factory=dict)  # of `rankd-bundle index`


@dataclass(frozen=True)
class GraphPart:
    """A module whose `forward` takes `inputs` in their order and returns one tensor, [U, D] or [N]."""

    module: nn.Module
    inputs: Mapping[str, Mapping[str, Any]]  # as in manifest.json: {"history_sum": {"from": "history", "column": …}}
    output: str


@dataclass(frozen=True)
class Serving:
    """What a family hands over. The exporter adds ids, histories, the popular list and the operations around it."""

    item: Mapping[str, Column] = field(default_factory=dict)  # columns `item.<name>`, [I, W]
    user: Mapping[str, Column] = field(
        default_factory=dict
    )  # columns `user.<name>`, [1 + U, W]; row 0 is the unknown user
    # Further tables of items, columns `<table>.<name>`. One may hold the first items only: the others then read as zeros.
    tables: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    lists: Mapping[str, np.ndarray] = field(default_factory=dict)  # item rows, best first: table `<name>`, column `row`
    indexes: Mapping[str, IndexPart] = field(default_factory=dict)
    graphs: Mapping[str, GraphPart] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = ()  # of `retrieve`, as in manifest.json
    # The graph that scores candidates, for `rank` and, if `reranks`, for `recommend` too; otherwise sources' scores stand.
    scorer: str | None = None
    reranks: bool = False
    similar: str | None = None  # the index that answers `similar`
    # Items that are described but that nobody met (`Items.whole`) are served as well: `item` has a row for each of them too.
    whole_catalogue: bool = False
    tolerance: float = 1e-4  # of a score, between here and the engine
