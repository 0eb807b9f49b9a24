"""Whether groups of users are served alike, in the terms of seeds 000 and 001, computed by fairlearn (Bird et al. 2020).

Two outcomes are looked at, each for the first ten places of every list:

selection          a place of the list holds an item of interest. `evaluation.interest` names the categories that make one;
                   without it the long tail is: all but the fifth of the catalogue that most users met (Abdollahpouri et
                   al. 2019 show that some groups are given the charts and others what they came for).
true positive      an item that turned out relevant for the user had been recommended (Hardt et al. 2016).

demographic_parity = max |P(selected | G = a) - P(selected | G = b)| over groups a, b
disparate_impact   = min P(selected | G = a) / P(selected | G = b), the four-fifths rule of the EEOC (29 CFR 1607.4 D)
equal_opportunity  = max |TPR(G = a) - TPR(G = b)|

Groups of fewer than 30 users are named and not compared: their rates are mostly chance."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

from rankd_train.data.interactions import Items
from rankd_train.errors import ConfigError
from rankd_train.evaluation.lists import LIST_K
from rankd_train.evaluation.rankings import Rankings

LEAST_USERS = 30
HEAD = 0.2  # share of the catalogue that is not long tail
LIMITS = {"demographic_parity": 0.1, "equal_opportunity": 0.1, "disparate_impact": 0.8}  # of seed 000


def compare_groups(
    rankings: Rankings, groups: Mapping[str, np.ndarray], interesting: np.ndarray, outcome: str
) -> dict[str, Any]:
    """groups: by attribute [Q] text, "" unknown; interesting: [I] bool, see `items_of_interest`.

    The figures on top are the worst of all attributes; those that compare nobody are absent."""
    by_attribute = {name: compare(rankings, group, interesting) for name, group in groups.items()}
    worst = {}
    for name, choose in (("demographic_parity", max), ("equal_opportunity", max), ("disparate_impact", min)):
        values = [figures[name] for figures in by_attribute.values() if name in figures]
        if values:
            worst[name] = choose(values)
    return {
        **worst,
        "within_limits": {
            name: bool(value >= LIMITS[name] if name == "disparate_impact" else value <= LIMITS[name])
            for name, value in worst.items()
        },
        "limits": LIMITS,
        "selection": outcome,
        "by_attribute": by_attribute,
    }


def compare(rankings: Rankings, group: np.ndarray, interesting: np.ndarray) -> dict[str, Any]:
    names, counts = np.unique(group[group != ""], return_counts=True)
    compared = [str(name) for name, count in zip(names, counts) if count >= LEAST_USERS]
    keep = np.isin(group, compared)
    result: dict[str, Any] = {
        "groups": {},
        "too_small": {str(name): int(count) for name, count in zip(names, counts) if count < LEAST_USERS},
        "unknown": int((group == "").sum()),
    }
    if not compared:
        return result
    selected, of_place = selections(rankings, keep, interesting)
    recommended, of_item = recommendations(rankings, keep)
    selection = frame(selection_rate, selected, selected, group[of_place])
    opportunity = frame(true_positive_rate, np.ones_like(recommended), recommended, group[of_item])
    result["groups"] = {
        name: {
            "users": int((group == name).sum()),
            "selection_rate": float(selection.by_group[name]),
            "true_positive_rate": float(opportunity.by_group[name]),
        }
        for name in compared
    }
    if len(compared) > 1:
        result["demographic_parity"] = float(selection.difference())
        result["equal_opportunity"] = float(opportunity.difference())
        if selected.any():
            result["disparate_impact"] = float(selection.ratio())
    return result


def frame(metric: Callable[..., float], truth: np.ndarray, given: np.ndarray, group: np.ndarray) -> MetricFrame:
    return MetricFrame(metrics=metric, y_true=truth, y_pred=given, sensitive_features=group)


def selections(rankings: Rankings, keep: np.ndarray, interesting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """keep: [Q] bool. [N] 0/1 of every filled place of the kept lists, and whose it is."""
    top = rankings.top[:, :LIST_K]
    user, place = np.nonzero((top >= 0) & keep[:, None])
    return interesting[top[user, place]].astype(int), user


def recommendations(rankings: Rankings, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N] 0/1 of every relevant item of the kept users, whether it was recommended, and whose it is."""
    ranked = rankings.only_relevant()
    user = np.repeat(np.arange(len(ranked.users)), np.diff(ranked.starts))
    found = ranked.rank < np.minimum(LIST_K, ranked.candidates[user])
    return found[keep[user]].astype(int), user[keep[user]]


def items_of_interest(items: Items, popularity: np.ndarray, interest: tuple[str, ...]) -> tuple[np.ndarray, str]:
    """[I] bool, and in words. popularity: [I] how many users met each item; interest: categories, none = the long tail."""
    if not interest:
        tail = np.ones(len(popularity), dtype=bool)
        tail[np.argsort(-popularity, kind="stable")[: int(HEAD * len(popularity))]] = False
        return tail, f"a place of the list holds a long-tail item: not of the most popular {HEAD:.0%} of the catalogue"
    known = set().union(*(items.categories or ()))
    for category in interest:
        if category not in known:
            raise ConfigError(f'evaluation.interest: no item has the category "{category}"')
    chosen = np.array([not set(interest).isdisjoint(own) for own in items.categories or ()])
    return chosen, f"a place of the list holds an item of {', '.join(interest)}"
