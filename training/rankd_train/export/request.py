"""One request on its way through the stages, and what comes out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

NO_ROWS = np.zeros(0, dtype=np.int64)


@dataclass
class Request:
    """Item rows are places in the catalogue, user rows places in the user tables."""

    body: dict[str, Any]
    user_row: int = 0  # 0 = unknown
    history: np.ndarray = field(default_factory=lambda: NO_ROWS)  # [H], oldest first, each once
    excluded: np.ndarray = field(default_factory=lambda: NO_ROWS)
    item_row: int | None = None  # of `similar`
    k: int = 0
    # The candidates, N of them, in step with each other.
    rows: np.ndarray = field(default_factory=lambda: NO_ROWS)
    scores: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    sources: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=object))  # who found it first
    positions: np.ndarray = field(default_factory=lambda: NO_ROWS)  # places among the request's own candidates

    def keep(self, which: np.ndarray) -> None:
        """which: [N] bool, or places in their new order."""
        self.rows, self.scores = self.rows[which], self.scores[which]
        self.sources, self.positions = self.sources[which], self.positions[which]


@dataclass(frozen=True)
class Answer:
    rows: np.ndarray  # [K] item rows, best first; of `rank` in input order one per known candidate
    scores: np.ndarray  # [K] float32; in input order one per candidate sent, NaN where it is not known
    sources: tuple[str, ...] = ()
    # The scores of those that stayed out: who is within a tolerance of the best of them may change places with it.
    left_out: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
