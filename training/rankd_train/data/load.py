"""From a recipe's `data` to clean interactions with a report."""

from pathlib import Path
from typing import Any

import numpy as np

from rankd_train.data.adding import add_events
from rankd_train.data.cleaning import clean
from rankd_train.data.config import CleaningConfig, DataConfig
from rankd_train.data.feedback import read_feedback
from rankd_train.data.interactions import Interactions
from rankd_train.data.loaded import Given, Loaded
from rankd_train.data.sets.registry import find_known
from rankd_train.data.snapshot import FoundSet, find_set, verify_set
from rankd_train.data.table import read_table
from rankd_train.data.validation import validate
from rankd_train.errors import ConfigError, DataError


def load_interactions(config: DataConfig, folder: Path, cache: Path) -> Loaded:
    """folder: of the recipe, for relative paths; cache: for what is slow to read twice.

    Raises ConfigError, DataMissing or DataError, each saying what to do."""
    if config.set is not None and config.table is not None:
        raise ConfigError("data.set and data.table exclude each other: the events come from one of them")
    for kind, weight in config.weights.items():
        if not 0 <= weight < np.inf:
            raise ConfigError(
                f'"data.weights.{kind}" must be 0 or more, got {weight}; 0 leaves events of that kind out'
            )
    interactions: Interactions | None = None
    given: Given | None = None
    cleaning = CleaningConfig()
    reading: dict[str, Any] = {}
    sha256: dict[str, str] = {}
    warnings: list[str] = []
    if config.set is not None:
        known = find_known(config.set)
        place = find_set(known)
        sha256 = verify_set(known, place, config.allow_other)
        interactions, given = known.read(FoundSet(place, sha256, cache))
        cleaning = known.cleaning
    elif config.table is not None:
        table = read_table(config.table, config.weights, folder)
        interactions, reading, sha256 = table.interactions, table.report, table.sha256
    if config.feedback is not None:
        feedback = read_feedback(folder / config.feedback, config.weights)
        reading, sha256 = reading | {"feedback": feedback.report}, sha256 | feedback.sha256
        if interactions is None:
            interactions = feedback.interactions
        else:
            interactions, given, warnings = add_events(interactions, given, feedback.interactions)
    if interactions is None:
        raise ConfigError('"data" names nothing to learn from: give it a set, a table or feedback')
    expect_several(interactions, "in the data")
    warnings += unused(config, interactions)
    cleaned = clean(interactions, given, config.cleaning or cleaning)
    expect_several(cleaned.interactions, "left after cleaning")
    report = validate(interactions, cleaned)
    report["warnings"] = warnings + report["warnings"]
    return Loaded(cleaned.interactions, cleaned.given, {"reading": reading, **report}, sha256)


def expect_several(interactions: Interactions, where: str) -> None:
    """Who is alone cannot be compared, and an item without others needs no recommender."""
    for what, ids in (("user", interactions.users.ids), ("item", interactions.items.ids)):
        if len(ids) == 1:
            raise DataError(
                f"there is one {what} only {where} ({ids[0]!r}, {len(interactions.events):,} events); two or more are needed. "
                f"Is data.table.{what} the right column, and data.cleaning not too strict?"
            )


def unused(config: DataConfig, interactions: Interactions) -> list[str]:
    """Warns of names in the recipe that the data do not have: often a slip."""
    warnings = []
    if config.cleaning is not None:
        ids = {str(id) for id in interactions.items.ids}
        absent = [name for name in config.cleaning.dropped_items if name not in ids]
        if absent:
            warnings.append(f"data.cleaning.dropped_items names what the data do not have: {', '.join(absent[:5])}")
    kinds = set() if interactions.events.kind is None else set(np.unique(interactions.events.kind.astype(str)))
    absent = [kind for kind, weight in config.weights.items() if weight and kind not in kinds]
    if absent:
        warnings.append(f"data.weights names kinds of events that the data do not have: {', '.join(absent[:5])}")
    return warnings
