"""What a recipe says about its evaluation."""

from dataclasses import dataclass
from typing import Literal

from rankd_train.errors import ConfigError

AT_K = ("precision", "recall", "hr", "ndcg", "map", "ndcg_graded")  # each for every one of `ks`
WHOLE = ("map", "mrr", "auc")
ERRORS = ("rmse", "mae")


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

    def __post_init__(self) -> None:
        """What is told now need not be found out after hours of training."""
        if not self.ks or min(self.ks) < 1:
            raise ConfigError(f'"evaluation.ks" must be lengths of lists, each at least 1, got {list(self.ks)}')
        if self.bootstrap_samples < 1:
            raise ConfigError(f'"evaluation.bootstrap_samples" must be above 0, got {self.bootstrap_samples}')
        for name in ("users", "folds"):
            if getattr(self, name) < 0:
                raise ConfigError(f'"evaluation.{name}" must not be negative, got {getattr(self, name)}')
        ranked = [f"{name}@{k}" for name in AT_K for k in self.ks] + list(WHOLE)
        known = list(ERRORS) if self.protocol == "ratings" else [*ranked, *ERRORS]
        if self.choose_by not in known:
            raise ConfigError(
                f'"evaluation.choose_by" must be something that the protocol "{self.protocol}" measures with ks '
                f"{list(self.ks)}: {', '.join(known)}; got {self.choose_by}"
            )
