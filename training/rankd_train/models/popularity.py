"""The most popular items, the same for everyone: the baseline that every other model has to beat.

Popularity as seed 001 has it, a weighted combination of views, purchases and ratings:

    score(i) = events(i) / max events + rating_weight · (shrunken mean rating(i) − low) / (high − low)

where an event counts weight(kind) · value · 2^(−age / half-life). Both terms lie in [0, 1], so that the weights compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from rankd_train.data.interactions import Events
from rankd_train.errors import ConfigError
from rankd_train.models.bounds import check_bounds
from rankd_train.models.list_model import ListModel
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet

DAY = 86_400  # seconds


@dataclass(frozen=True)
class PopularityConfig:
    weights: Mapping[str, float] = field(default_factory=dict)  # of an event by its kind; 1 unless said
    rating_weight: float = 0.0  # of the mean rating beside the number of events; explicit data alone
    rating_prior: float = 10.0  # ratings of the global mean that every item starts with
    half_life_days: float = 0.0  # after which an event counts half; 0 = events do not age

    def __post_init__(self) -> None:
        check_bounds(self, not_negative=("rating_weight", "rating_prior", "half_life_days"))


def fit(config: PopularityConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    counted = np.bincount(data.events.item, event_weights(config, data), data.shape[1])
    scores = counted / max(counted.max(initial=0.0), np.finfo(np.float64).tiny)
    if config.rating_weight:
        if not data.explicit:
            raise ConfigError("model.rating_weight needs ratings; the events of this set have none (rating_weight: 0)")
        scores = scores + config.rating_weight * rating_shares(data.events, data.shape[1], config.rating_prior)
    return Fitted(PopularityModel(scores.astype(np.float32), data, config.rating_prior))


class PopularityModel(ListModel):
    def __init__(self, item_scores: np.ndarray, data: TrainingSet, rating_prior: float):
        super().__init__(item_scores, data)
        self.rating_prior = rating_prior

    def ratings(self, users: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """The item's shrunken mean rating, whoever asks."""
        if not self.data.explicit:
            return None
        return mean_ratings(self.data.events, self.data.shape[1], self.rating_prior)[items]


def event_weights(config: PopularityConfig, data: TrainingSet) -> np.ndarray:
    """What each event counts: [N] float64. A rating's value is an opinion, so there its presence counts."""
    events = data.events
    weights = np.ones(len(events)) if data.explicit else events.value.astype(np.float64)
    if config.weights:
        weights = weights * kind_weights(config.weights, events)
    if config.half_life_days:
        if events.time is None:
            raise ConfigError("model.half_life_days needs times; the events of this set have none (half_life_days: 0)")
        age = (events.time.max(initial=0) - events.time) / DAY
        weights = weights * 0.5 ** (age / config.half_life_days)
    return weights


def kind_weights(weights: Mapping[str, float], events: Events) -> np.ndarray:
    if events.kind is None:
        raise ConfigError("model.weights weighs kinds of events; the events of this set have no kind")
    kinds, place = np.unique(events.kind, return_inverse=True)
    unknown = sorted(set(weights) - set(kinds.tolist()))
    if unknown:
        raise ConfigError(f'model.weights names "{unknown[0]}", which no event is; kinds are: {", ".join(kinds)}')
    return np.array([weights.get(kind, 1.0) for kind in kinds.tolist()])[place]


def mean_ratings(events: Events, items: int, prior: float) -> np.ndarray:
    """[items] mean rating, drawn to the global mean by `prior` ratings of it; the global mean of an item without any."""
    mean = float(events.value.mean())
    total, count = np.bincount(events.item, events.value, items), np.bincount(events.item, minlength=items)
    weight = count + prior
    return np.where(weight > 0, (total + prior * mean) / np.maximum(weight, np.finfo(np.float64).tiny), mean)


def rating_shares(events: Events, items: int, prior: float) -> np.ndarray:
    """[items] in [0, 1]: the mean rating between the lowest and the highest one."""
    low, high = float(events.value.min()), float(events.value.max())
    return np.clip((mean_ratings(events, items, prior) - low) / max(high - low, np.finfo(np.float32).tiny), 0, 1)


def restore(config: PopularityConfig, data: TrainingSet, state: dict[str, Tensor]) -> PopularityModel:
    return PopularityModel(state["item_scores"].numpy(), data, config.rating_prior)


FAMILY = Family(
    name="popularity",
    title="Popularity",
    paper="Cremonesi et al. 2010, TopPop",
    config=PopularityConfig,
    fit=fit,
    restore=restore,
)
