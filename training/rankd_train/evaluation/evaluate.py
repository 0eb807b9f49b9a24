"""One model measured on one part of a split: the only way in which figures come about here."""

from dataclasses import dataclass, field, replace
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
from rankd_train.evaluation.segments import ACTIVITY, user_groups
from rankd_train.models.recommender import Recommender

OPINIONS = "the value of every opinion in the part"
PRESENCE = "the probability of each right item (1) and of four drawn ones that the user never met (0)"


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
    groups: dict[str, np.ndarray]  # by attribute the users' groups, [Q] text; see `segments`
    figures: dict[str, PerUser]  # each [Q]
    notes: dict[str, str]  # what diversity and prediction errors are of
    # Where values are predicted and nothing is ranked, the rest stays empty.
    rankings: Rankings | None = (
        None  # of all items, whatever the protocol: lists and fairness are of what users would see
    )
    coverage: float | None = None
    fairness: dict[str, Any] = field(default_factory=dict)
    full_ranking: dict[str, float] = field(default_factory=dict)  # beside sampled figures: the same over all items

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Every figure that applies to someone."""
        values = {name: figure.value() for name, figure in self.figures.items()}
        whole = {} if self.coverage is None else {"coverage": self.coverage}
        return finite(values) | whole

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
    split, users = context.split, users_of(context, config, seed)
    predicted = Evaluation(
        part=context.part,
        protocol=config.protocol,
        users=users,
        asked=len(users),
        items=split.shape[1],
        groups=user_groups(split.users, users, context.train, config.active_from, config.groups),
        figures=opinion_figures(model, context.events, users) if split.explicit else {},
        notes={"prediction": OPINIONS if split.explicit else PRESENCE},
    )
    return predicted if config.protocol == "ratings" else with_rankings(predicted, model, context, config, seed)


def with_rankings(
    predicted: Evaluation, model: Recommender, context: EvaluationContext, config: EvaluationConfig, seed: int
) -> Evaluation:
    users, split = predicted.users, context.split
    question = question_of(context, config, users)
    rankings = rank(model, question, max(*config.ks, LIST_K))
    vectors, made_of = item_vectors(split.items, context.history)
    figures = accuracy_figures(rankings, split.explicit, config) | list_figures(rankings, context.history, vectors)
    if not split.explicit:
        figures |= presence_figures(model, question, seed)
    figures = spread(figures, rankings.users, users)
    asked, full_ranking = len(rankings.users), {}
    if config.protocol == "sampled":
        drawn = rank(model, question_of(context, config, users, negatives_of(context)), max(config.ks))
        sampled = accuracy_figures(drawn, split.explicit, config)
        full_ranking = finite({name: figures[name].value() for name in sampled})
        figures |= spread(sampled, drawn.users, users)
        asked = len(drawn.users)
    return replace(
        predicted,
        asked=asked,
        figures=predicted.figures | figures,
        notes=predicted.notes | {"diversity": made_of},
        rankings=rankings,
        coverage=coverage(rankings.top, split.shape[1]),
        fairness=fairness_of(context, config, rankings, predicted),
        full_ranking=full_ranking,
    )


def users_of(context: EvaluationContext, config: EvaluationConfig, seed: int) -> np.ndarray:
    """[Q] sorted: those with events in the part, or `config.users` of them."""
    users = np.unique(context.events.user)
    if len(users) == 0:
        raise DataError(f"the {context.part} part has no events: give it a share in split.ratios")
    if 0 < config.users < len(users):
        users = np.sort(np.random.default_rng(seed).choice(users, size=config.users, replace=False))
    return users


def question_of(
    context: EvaluationContext, config: EvaluationConfig, users: np.ndarray, negatives: np.ndarray | None = None
) -> Question:
    relevant_from = config.relevant_from if context.split.explicit else None
    return make_question(context.history, context.events, users, relevant_from, negatives)


def negatives_of(context: EvaluationContext) -> np.ndarray:
    if context.negatives is None:
        raise ConfigError(
            f"evaluation.protocol: sampled needs drawn items, and the {context.part} part of this split has none; use full"
        )
    return context.negatives


def accuracy_figures(rankings: Rankings, explicit: bool, config: EvaluationConfig) -> dict[str, PerUser]:
    graded = graded_figures(rankings, config.ks) if explicit else {}
    return ranking_figures(rankings, config.ks) | graded


def fairness_of(
    context: EvaluationContext, config: EvaluationConfig, rankings: Rankings, predicted: Evaluation
) -> dict[str, Any]:
    """Of the attributes that the recipe names, or of new and active users where it names none."""
    popularity = np.bincount(context.history.indices, minlength=context.split.shape[1])
    interesting, outcome = items_of_interest(context.split.items, popularity, config.interest)
    places = np.searchsorted(predicted.users, rankings.users)
    compared = config.groups or (ACTIVITY,)
    return compare_groups(rankings, {name: predicted.groups[name][places] for name in compared}, interesting, outcome)


def spread(figures: dict[str, PerUser], asked: np.ndarray, users: np.ndarray) -> dict[str, PerUser]:
    """From the users who were asked ([B] of `users`) to all [Q], without weight for the others."""
    places = np.searchsorted(users, asked)

    def of_all(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(len(users))
        whole[places] = values
        return whole

    return {name: PerUser(of_all(figure.total), of_all(figure.weight), figure.root) for name, figure in figures.items()}


def finite(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if np.isfinite(value)}
