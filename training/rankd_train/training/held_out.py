"""The validation events as a question that is asked after every epoch, in the words of the one evaluation."""

from dataclasses import dataclass

import numpy as np

from rankd_train.errors import DataError
from rankd_train.evaluation.metrics import ranking_figures
from rankd_train.evaluation.rankings import Question, make_question, rank
from rankd_train.models.recommender import Recommender, TrainingSet

K = 10
WATCHED = (f"hr@{K}", f"ndcg@{K}")


@dataclass(frozen=True)
class HeldOut:
    question: Question

    @staticmethod
    def of(data: TrainingSet, limit: int, seed: int) -> "HeldOut":
        """limit: how many users to ask, 0 = all. Raises DataError if there is nothing to ask."""
        users = np.unique(data.validation.user)
        if not len(users):
            raise DataError("validation has no event to choose the number of epochs by: enlarge split.ratios[1]")
        if limit and limit < len(users):
            users = np.sort(np.random.default_rng(seed).choice(users, limit, replace=False))
        return HeldOut(make_question(data.matrix, data.validation, users, None, data.validation_negatives))

    def ask(self, model: Recommender) -> dict[str, float]:
        figures = ranking_figures(rank(model, self.question, K), (K,))
        return {f"val_{name}": figures[name].value() for name in WATCHED}
