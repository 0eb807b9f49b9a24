"""What a loader hands over: the interactions, how they were meant to be cut, and what was found on the way."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rankd_train.data.interactions import Interactions


@dataclass(frozen=True)
class Given:
    """A split that was published with the set."""

    test: np.ndarray  # [N] bool, of `Interactions.events`; the rest is for training and validation
    negatives: np.ndarray | None = None  # [U, M] places in `Items.ids`: what each user's test item is ranked among


@dataclass(frozen=True)
class Loaded:
    interactions: Interactions
    given: Given | None
    report: dict[str, Any]  # `validation.as_text` makes it readable
    sha256: dict[str, str]  # of every file that was read
