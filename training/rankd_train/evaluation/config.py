"""What a recipe says about its evaluation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EvaluationConfig:
    # `sampled` only to match a paper: it ranks the test item among a few drawn ones, and flatters every model.
    protocol: Literal["full", "sampled", "ratings"] = "full"
    ks: tuple[int, ...] = (5, 10, 20)
    choose_by: str = "ndcg@10"  # what validation maximises; "rmse" is minimised
    relevant_from: float = 0.0  # of explicit data: the lowest value that counts as a hit
    users: int = 0  # asks a sample of so many users; 0 = all
    active_from: int = 10  # a user with at least so many training events is active, with fewer new
    groups: tuple[str, ...] = ()  # user attributes to compare for fairness
    interest: tuple[str, ...] = ()  # item categories whose share in the lists is compared; none = the long tail
    baselines: tuple[str, ...] = ("random", "popularity", "item-knn")
    bootstrap_samples: int = 1_000
    # Repeats the whole fit over so many random folds of all events, as papers on ratings do; 0 = the split's test part alone.
    folds: int = 0
