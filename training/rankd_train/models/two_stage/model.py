"""The fitted model: retrieves with stage one, orders what was found with the ranker."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.export.serving import Serving
from rankd_train.models.recommender import Recommender, TrainingSet
from rankd_train.models.two_stage.config import CandidateConfig
from rankd_train.models.two_stage.serving import serve
from rankd_train.models.two_stage.stage_one import StageOne
from rankd_train.models.two_stage.tables import Tables, state_of

CHUNK = 256  # users at once: [256, 5435, 2] floats are 11 MB


@dataclass(frozen=True)
class Asked:
    """What stage one thinks of some users' items."""

    user_row: Tensor  # [B] int64 rows of the user tables
    history: sp.csr_matrix  # [B, I]
    scores: Tensor  # [B, I, 2]


class TwoStage(Recommender):
    def __init__(self, tables: Tables, config: CandidateConfig, data: TrainingSet):
        self.tables = tables
        self.config = config
        self.data = data

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """-inf for what no source retrieves."""
        stage_one = self.tables.stage_one(self.config)
        scores = np.full((len(users), history.shape[1]), -np.inf, dtype=np.float32)
        for first in range(0, len(users), CHUNK):
            asked = ask(stage_one, users[first : first + CHUNK], history[first : first + CHUNK])
            user, item = stage_one.retrieved(asked.scores).nonzero(as_tuple=True)  # (N,) each
            scores[user.numpy() + first, item.numpy()] = self.rank(asked, user, item)
        return scores

    def pair_scores(self, users: np.ndarray, items: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """Whether they were retrieved or not, as `rank` answers."""
        width = items.shape[1]
        place = np.repeat(np.arange(len(users)), width)
        return self.rank_pairs(users, history, place, items.ravel()).reshape(-1, width)

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """The probability that the user has the item, told the training history; None where values are opinions."""
        if self.data.explicit:
            return None
        asked, place = np.unique(users, return_inverse=True)
        order = np.argsort(place, kind="stable")
        values = np.empty(len(users), dtype=np.float32)
        values[order] = self.rank_pairs(asked, self.data.matrix[asked], place[order], items[order])
        return values

    def rank_pairs(self, users: np.ndarray, history: sp.csr_matrix, place: np.ndarray, items: np.ndarray) -> np.ndarray:
        """users: [B]; history: [B, I]; place: [N] ascending, whose of `users` each of `items` [N] is. Returns [N]."""
        stage_one = self.tables.stage_one(self.config)
        parts = [np.zeros(0, dtype=np.float32)]
        for first in range(0, len(users), CHUNK):
            own = slice(*np.searchsorted(place, (first, first + CHUNK)))
            asked = ask(stage_one, users[first : first + CHUNK], history[first : first + CHUNK])
            parts.append(self.rank(asked, torch.from_numpy(place[own] - first), torch.from_numpy(items[own])))
        return np.concatenate(parts)

    @torch.no_grad()
    def rank(self, asked: Asked, user: Tensor, item: Tensor) -> np.ndarray:
        """The ranker's probabilities [N]. user: [N] int64 places among those asked; item: [N] int64."""
        pair = asked.scores[user, item]  # (N, 2)
        history = Histories.of(asked.history)
        inputs = self.tables.ranker_tables().gather(asked.user_row, history, user, item, pair)
        return self.tables.ranker(*inputs).numpy()

    def state(self) -> dict[str, Tensor]:
        return state_of(self.tables)

    def serving(self) -> Serving:
        return serve(self.tables, self.config)


def ask(stage_one: StageOne, users: np.ndarray, history: sp.csr_matrix) -> Asked:
    """users: [B] places in `Users.ids`, or UNKNOWN, which is row 0 of the tables."""
    user_row = torch.from_numpy(users + 1)
    return Asked(user_row, history, stage_one.scores(user_row, history))
