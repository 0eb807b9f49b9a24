"""Whether the data are what they were thought to be: counts, distributions, and what a reader should be warned of."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from rankd_train.data.cleaning import Cleaned
from rankd_train.data.interactions import Events, Interactions
from rankd_train.data.split import Split

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
# Of events or users; beyond it a reader is warned.
MUCH = 0.5


def validate(before: Interactions, cleaned: Cleaned) -> dict[str, Any]:
    """The report, as plain JSON. before: what was read, which cleaning made `cleaned` of."""
    after = cleaned.interactions
    report = {
        "before_cleaning": counts_of(before),
        "cleaning": {step.name: step.events for step in cleaned.steps},
        **counts_of(after),
        "density": len(after.events) / (after.shape[0] * after.shape[1]),
        "events_per_user": distribution(counts_by(after.events.user, after.shape[0])),
        "events_per_item": distribution(counts_by(after.events.item, after.shape[1])),
        "items_without_events": float((counts_by(after.events.item, after.shape[1]) == 0).mean()),
        "popularity_gini": gini(counts_by(after.events.item, after.shape[1])),
        "values": distribution(after.events.value),
        "times": time_range(after.events),
    }
    return report | {"warnings": warnings_of(before, after)}


def counts_of(interactions: Interactions) -> dict[str, int]:
    users, items = interactions.shape
    return {"users": users, "items": items, "events": len(interactions.events)}


def counts_by(places: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(places, minlength=count)


def distribution(values: np.ndarray) -> dict[str, float]:
    quantiles = {f"p{round(100 * q)}": float(v) for q, v in zip(QUANTILES, np.quantile(values, QUANTILES))}
    return {"mean": float(values.mean()), **quantiles}


def gini(counts: np.ndarray) -> float:
    """0 if every item is met alike, near 1 if a single one is: half the mean difference of two items over the mean."""
    ordered = np.sort(counts.astype(np.float64))
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def time_range(events: Events) -> dict[str, str] | None:
    if events.time is None:
        return None
    return {"first": told(events.time.min()), "last": told(events.time.max())}


def told(seconds: int) -> str:
    """ISO 8601; a number where there is no such year."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def warnings_of(before: Interactions, after: Interactions) -> list[str]:
    warnings = []
    single = (counts_by(before.events.user, before.shape[0]) == 1).mean()
    if single > MUCH:
        warnings.append(
            f"{single:.0%} of the users have a single event: nothing can be both learned and tested of them"
        )
    lost = 1 - len(after.events) / len(before.events)
    if lost > MUCH:
        warnings.append(f"cleaning took {lost:.0%} of the events")
    time = after.events.time
    if time is not None and time.min() == time.max():
        warnings.append("all times are equal: they tell no order")
    elif time is not None and (time.min() < 0 or time.max() > datetime.now(UTC).timestamp() + 86_400):
        warnings.append(f"times go from {told(time.min())} to {told(time.max())}: is their unit what was meant?")
    if after.explicit and np.ptp(after.events.value) == 0:
        warnings.append("all ratings are equal: they tell no opinion")
    if np.any(after.events.value <= 0) and not after.explicit:
        warnings.append("some events have a value of 0 or less, and count as met all the same")
    if min(after.shape) < 10:
        warnings.append(f"{after.shape[0]} users and {after.shape[1]} items are too few for figures that mean anything")
    return warnings


def split_report(split: Split) -> dict[str, Any]:
    """How large the parts are, and who is asked without having been met in training."""
    users, items = np.unique(split.train.user), np.unique(split.train.item)
    report: dict[str, Any] = {"train": len(split.train)}
    warnings = []
    for name, part in (("validation", split.validation), ("test", split.test)):
        asked = np.unique(part.user)
        new_users = float((~np.isin(asked, users)).mean()) if len(asked) else 0.0
        new_items = float((~np.isin(part.item, items)).mean()) if len(part) else 0.0
        report[name] = {
            "events": len(part),
            "users": len(asked),
            "users_without_history": new_users,
            "events_of_unmet_items": new_items,
        }
        if not len(part):
            warnings.append(f"the {name} part is empty")
        if new_users > 0:
            warnings.append(f"{new_users:.1%} of the users of the {name} part have no training event")
    return report | {"warnings": warnings}


def as_text(report: dict[str, Any], indent: str = "") -> str:
    """A report for people: a line per entry, shares and counts rounded, warnings last."""
    lines = []
    for key, value in report.items():
        name = key.replace("_", " ")
        if key == "warnings":
            continue
        if isinstance(value, dict):
            inner = ", ".join(f"{k} {number(v)}" for k, v in value.items())
            lines.append(f"{indent}{name}: {inner or 'none'}")
        elif value is not None:
            lines.append(f"{indent}{name}: {number(value)}")
    lines += [f"{indent}! {warning}" for warning in report.get("warnings", ())]
    return "\n".join(lines)


def number(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
