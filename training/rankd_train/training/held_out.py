"""The validation events as questions that are asked after every epoch."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.errors import DataError
from rankd_train.models.recommender import Recommender, TrainingSet

USERS = 128  # scored at once: with ten held-out items each among 40,000, 200 MB


@dataclass(frozen=True)
class HeldOut:
    """Each held-out item is ranked on its own, against drawn items or against all that the user has not met."""

    users: np.ndarray  # [Q] who is asked, each once
    history: sp.csr_matrix  # [Q, I]
    targets: sp.csr_matrix  # [Q, I]
    negatives: np.ndarray | None  # [Q, M]

    @staticmethod
    def of(data: TrainingSet, limit: int, seed: int) -> "HeldOut":
        """limit: how many users to ask, 0 = all. Raises DataError if there is nothing to ask."""
        targets = data.validation.matrix(data.shape, binary=True)
        users = np.flatnonzero(np.diff(targets.indptr))
        if not len(users):
            raise DataError("validation has no event to choose the number of epochs by: enlarge split.ratios[1]")
        if limit and limit < len(users):
            users = np.sort(np.random.default_rng(seed).choice(users, limit, replace=False))
        negatives = None if data.validation_negatives is None else data.validation_negatives[users]
        return HeldOut(users, data.matrix[users], targets[users], negatives)

    def ask(self, model: Recommender) -> dict[str, float]:
        """Mean over all held-out items of whether it is among the first ten, and of 1 / log2(2 + rank) there."""
        starts = range(0, len(self.users), USERS)
        ranks = np.concatenate([self.ranks(model, slice(start, start + USERS)) for start in starts])
        hit = ranks < 10
        return {"val_hr@10": float(hit.mean()), "val_ndcg@10": float((hit / np.log2(ranks + 2)).mean())}

    def ranks(self, model: Recommender, part: slice) -> np.ndarray:
        """How many other candidates score at least as high as each held-out item, [targets]: a tie is no hit."""
        users, history, targets = self.users[part], self.history[part], self.targets[part]
        place, item = targets.nonzero()
        if self.negatives is None:
            scores = model.scores(users, history)
            own = scores[place, item]
            scores[history.nonzero()] = -np.inf
            scores[place, item] = -np.inf
            return (scores[place] >= own[:, None]).sum(axis=1)
        drawn = self.negatives[part]
        width = int(np.diff(targets.indptr).max())
        asked = np.zeros((len(users), width + drawn.shape[1]), dtype=np.int64)
        column = np.arange(len(place)) - targets.indptr[place]
        asked[place, column] = item
        asked[:, width:] = np.maximum(drawn, 0)
        scores = model.pair_scores(users, asked, history)  # (Q, width + M)
        others = scores[:, width:][place]  # (targets, M)
        counted = (drawn[place] >= 0) & (drawn[place] != item[:, None])
        return ((others >= scores[place, column][:, None]) & counted).sum(axis=1)
