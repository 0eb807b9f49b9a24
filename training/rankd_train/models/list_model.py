"""Models that give every item one number, whoever asks: a list."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.export.serving import Column, GraphPart, Serving
from rankd_train.models.recommender import Recommender, TrainingSet
from rankd_train.models.serving_graphs import ColumnScore, candidate_count


class ListModel(Recommender):
    def __init__(self, item_scores: np.ndarray, data: TrainingSet):
        """item_scores: [I] float32."""
        self.item_scores = item_scores
        self.data = data

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return np.tile(self.item_scores, (history.shape[0], 1))

    def state(self) -> dict[str, Tensor]:
        return {"item_scores": torch.from_numpy(self.item_scores)}

    def serving(self) -> Serving:
        """The list retrieves; the score of a listed item is looked up, since a list's own scores are 0."""
        order = np.argsort(-self.item_scores, kind="stable").astype(np.uint32)
        count = candidate_count(self.data)
        return Serving(
            item={"list_score": Column("f32", self.item_scores[:, None])},
            lists={"listed": order},
            sources=({"name": "listed", "kind": "list", "rows": "listed.row", "k": count},),
            graphs={
                "scorer": GraphPart(
                    ColumnScore(), {"item_score": {"from": "item", "column": "item.list_score"}}, "score"
                )
            },
            scorer="scorer",
            reranks=True,
        )
