"""One model measured on one part of a split: the only way in which figures come about here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Events
from rankd_train.data.split import Split
from rankd_train.errors import ConfigError, DataError
from rankd_train.evaluation.config import EvaluationConfig
from rankd_train.evaluation.fairness import compare_groups, items_of_interest
from rankd_train.evaluation.lists import LIST_K, coverage, item_vectors, list_figures
from rankd_train.evaluation.metrics import PerUser, graded_figures, ranking_figures
from rankd_train.evaluation.predictions import opinion_figures, presence_figures
from rankd_train.evaluation.rankings import Question, Rankings, make_question, rank
from rankd_train.evaluation.segments import user_groups
from rankd_train.models.recommender import Recommender


@dataclass(frozen=True)
class EvaluationContext:
    """What is asked. The history is what had happened before: train for validation, train and validation for test."""

    split: Split
    part: Literal["validation", "test"]

    @cached_property
    def train(self) -> sp.csr_matrix:
        return self.split.matrix(self.split.train)

    @cached_property
    def history(self) -> sp.csr_matrix:
        """[U, I] 0/1."""
        if self.part == "validation":
            return self.train
        return self.train.maximum(self.split.matrix(self.split.validation))

    @property
    def events(self) -> Events:
        return self.split.validation if self.part == "validation" else self.split.test

    @property
    def negatives(self) -> np.ndarray | None:
        return self.split.validation_negatives if self.part == "validation" else self.split.negatives


@dataclass(frozen=True)
class Evaluation:
    """Figures of one model, per user. The Q users are all that have events in the part, or a sample of them."""

    part: str
    protocol: str
    users: np.ndarray  # [Q] places in `Users.ids`
    asked: int  # how many of them had something relevant to find
    items: int
    figures: dict[str, PerUser]  # each [Q]
    catalogue: dict[str, float]  # what only all lists together have: coverage
    groups: dict[str, np.ndarray]  # by attribute the users' groups, [Q] text; see `segments`
    fairness: dict[str, Any]
    notes: dict[str, str]  # what diversity and prediction errors are of
    rankings: Rankings | None  # None where values were predicted and nothing was ranked

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Every figure that applies to someone."""
        values = {name: figure.value() for name, figure in self.figures.items()}
        return {name: value for name, value in values.items() if np.isfinite(value)} | self.catalogue

    def chosen(self, config: EvaluationConfig) -> float:
        """What `config.choose_by` names."""
        if config.choose_by not in self.metrics:
            raise ConfigError(
                f'evaluation.choose_by: this model has no "{config.choose_by}" under the protocol "{self.protocol}"; '
                f"it has {', '.join(sorted(self.metrics))}"
            )
        return self.metrics[config.choose_by]


def evaluate(model: Recommender, context: EvaluationContext, config: EvaluationConfig, seed: int) -> Evaluation:
    """The same seed draws the same sample of users for every model, so that they compare."""
    users = users_of(context, config, seed)
    groups = user_groups(context.split.users, users, context.train, config.active_from, config.groups)
    figures: dict[str, PerUser] = {}
    notes: dict[str, str] = {}
    if context.split.explicit:
        figures |= opinion_figures(model, context.events, users)
        notes["prediction"] = "the value of every opinion in the part"
    if config.protocol == "ratings":
        return Evaluation(
            context.part,
            config.protocol,
            users,
            len(users),
            context.split.shape[1],
            figures,
            {},
            groups,
            {},
            notes,
            None,
        )
    question = question_of(context, config, users)
    rankings = rank(model, question, max(*config.ks, LIST_K))
    ranked = ranking_figures(rankings, config.ks)
    if context.split.explicit:
        ranked |= graded_figures(rankings, config.ks)
    else:
        ranked |= presence_figures(model, question, seed)
        notes["prediction"] = (
            "the probability of each right item (1) and of four drawn ones that the user never met (0)"
        )
    catalogue = {}
    if config.protocol == "full":
        vectors, notes["diversity"] = item_vectors(context.split.items, context.history)
        ranked |= list_figures(rankings, question, vectors)
        catalogue["coverage"] = coverage(rankings.top, context.split.shape[1])
    places = np.searchsorted(users, rankings.users)
    return Evaluation(
        part=context.part,
        protocol=config.protocol,
        users=users,
        asked=len(rankings.users),
        items=context.split.shape[1],
        figures=figures | {name: spread(figure, places, len(users)) for name, figure in ranked.items()},
        catalogue=catalogue,
        groups=groups,
        fairness=fairness_of(context, config, rankings, {name: group[places] for name, group in groups.items()}),
        notes=notes,
        rankings=rankings,
    )


def users_of(context: EvaluationContext, config: EvaluationConfig, seed: int) -> np.ndarray:
    """[Q] sorted: those with events in the part, or `config.users` of them."""
    users = np.unique(context.events.user)
    if len(users) == 0:
        raise DataError(f"the {context.part} part has no events: give it a share in split.ratios")
    if 0 < config.users < len(users):
        users = np.sort(np.random.default_rng(seed).choice(users, size=config.users, replace=False))
    return users


def question_of(context: EvaluationContext, config: EvaluationConfig, users: np.ndarray) -> Question:
    negatives = context.negatives if config.protocol == "sampled" else None
    if config.protocol == "sampled" and negatives is None:
        raise ConfigError(
            f"evaluation.protocol: sampled needs drawn items, and the {context.part} part of this split has none; "
            "use full"
        )
    relevant_from = config.relevant_from if context.split.explicit else None
    return make_question(context.history, context.events, users, relevant_from, negatives)


def fairness_of(
    context: EvaluationContext, config: EvaluationConfig, rankings: Rankings, groups: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Of the attributes that the recipe names, or of new and active users where it names none."""
    popularity = np.bincount(context.history.indices, minlength=context.split.shape[1])
    interesting, outcome = items_of_interest(context.split.items, popularity, config.interest)
    compared = {name: group for name, group in groups.items() if name in config.groups or not config.groups}
    return compare_groups(rankings, compared, interesting, outcome)


def spread(figure: PerUser, places: np.ndarray, users: int) -> PerUser:
    """From the users who were asked to all: [B] -> [Q], without weight for the others."""
    total, weight = np.zeros(users), np.zeros(users)
    total[places], weight[places] = figure.total, figure.weight
    return PerUser(total, weight, figure.root)
