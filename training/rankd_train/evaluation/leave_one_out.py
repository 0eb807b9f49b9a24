"""Leave-one-out where only the rank of the held-out item is known: a case of the general rankings."""

from dataclasses import dataclass

import numpy as np

from rankd_train.evaluation.rankings import Rankings


@dataclass(frozen=True)
class Answers:
    """What a recommender gave to every user."""

    rank: np.ndarray  # [U] int64, how many items stand before the held-out one; the catalogue's size or more: left out
    top: np.ndarray  # [U, K] int64 item rows, best first, -1 where there are fewer

    def rankings(self, target: np.ndarray, items: int) -> Rankings:
        """target: [U] the held-out items; items: of the catalogue."""
        users = len(self.rank)
        return Rankings(
            users=np.arange(users),
            starts=np.arange(users + 1),
            items=target,
            gains=np.ones(users, dtype=np.float32),
            relevant=np.ones(users, dtype=bool),
            rank=np.minimum(self.rank, items),
            candidates=np.full(users, items),
            top=self.top,
        )
